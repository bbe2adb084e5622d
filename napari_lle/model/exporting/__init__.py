"""Models for other programs: an ONNX file or a bioimage.io package, held equal to the network."""
