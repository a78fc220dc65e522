"""Questions about flows: their seeds and services read from what people have, their answers in people's names."""
