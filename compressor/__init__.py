"""Exact coding: PMFs, the rANS stack, codecs, media, the container, the pipeline. No torch, no click."""
