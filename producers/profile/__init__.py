"""A sensor's profile: its settings as one model, for the options of ``produce`` and for a YAML file."""
