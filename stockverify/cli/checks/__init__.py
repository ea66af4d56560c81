"""What `stockverify doctor` looks at: the installation, the servers, and the data."""
