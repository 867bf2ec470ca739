"""What takes the picture to a tool: one file for each output, behind one protocol."""
