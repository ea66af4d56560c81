"""The parts of the Explore page: what is picked, where the rows come from, what is drawn of them, what is kept."""
