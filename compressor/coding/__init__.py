"""PMFs, stacks and codecs: with `errors`, all of the compressor that models may import."""
