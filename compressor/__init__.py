"""Exact coding: PMFs, the rANS stack, codecs, media, the container and the pipeline. Never imports torch or click."""
