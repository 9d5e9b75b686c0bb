"""Networks that give PMFs, exact and in training.

families/   a folder each: the codec, and the training of it; the table names them
networks/   recurrent, masked_transformer, masked_convnet: what gives logits, whatever the family
mixing/     contexts, counters, mixture, SSE: what adapts to a file
layers/     the exact integer layers (grid states the contract), and in qat/ the same in training
backends/   NumPy, PyTorch, int8 kernels, and the threads that share the work
training/   the loop, recipes, data; torch is imported here, in qat/ and in the training of a family
registry    names and fingerprints to models; checkpoint is the weight file, superseded what was replaced
"""
