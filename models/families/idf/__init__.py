"""Integer discrete flows: images by a bijection of integers, coded level by level."""

STAGES = {
    "contexts and features": ("squeeze", "colour", "tiles"),
    "what is fitted": ("enc_gradients", "costs"),
}
"""Where ``benchmarks.studies.stages`` counts the time of modules that are no layers."""
