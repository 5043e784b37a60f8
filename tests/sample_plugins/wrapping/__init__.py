"""A plugin that holds the highest tier, to be spoiled one line at a time: how customers want presents to be wrapped."""
