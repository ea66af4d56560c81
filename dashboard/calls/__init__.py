"""The calls that live pages make, by noun, each with the rights of the person at the desk."""
