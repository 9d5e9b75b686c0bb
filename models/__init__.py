"""Networks that give PMFs, exact and in training.

families   autoregressive, ardm, idf: a module each, and what one alone needs in mixture/, masked/, flows/;
           what they have in common in families/
layers     grid (the contract of exactness), attention, convolution, recurrent, logistics, contexts
backends   arrays (NumPy), torch_arrays, int8_arrays; workers share the work among threads
weights    checkpoint (the file), registry (names), superseded (what was replaced), weights/, recipes/
training/  the same networks in floating point, and the loop that fits them
"""
