"""A model in every format that it can take, in one folder, with the first lines of code for each platform."""
