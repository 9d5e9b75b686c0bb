"""Coverage-guided fuzzing of all that reads what others wrote: `make fuzz`, or `python tests/fuzz/run.py --help`.

Each module of `targets` is one target: a function `check` that runs code of catzip on an input and raises where it
breaks a promise, `seeds` to begin with, and `mutate`, which changes an input and then makes checksums, sizes and
indexes right again, without which nearly every input would end at the first checksum.
"""
