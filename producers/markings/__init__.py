"""A source's statements about sharing, from every place in its data, as one marking: the strictest."""
