"""What a source wrote about sharing, from wherever it wrote it, as one marking: the strictest."""
