"""Speed and memory of the generator, measured in one run against what people use today."""
