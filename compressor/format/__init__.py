"""The bytes of a catzip file, as FORMAT.md has them: members, frames, payloads, trailers."""
