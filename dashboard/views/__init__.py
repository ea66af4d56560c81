"""Pure functions from figures and frames to what pages draw."""
