/* All of the core, for the instructions that the file which includes this has asked for. */
#include "core.h"

#include "product.h"

#include "layers.h"

#include "contexts.h"

#include "network.h"

#include "coder.h"

#include "mixture.h"

#include "rich.h"

#include "steps.h"

#include "convolution.h"

#include "squeeze.h"

#include "logistics.h"

#include "factor_out.h"

#include "digits.h"

#include "fitting.h"

static const Flows flows = {convolve,       widen,      describe,   mixtures, beside, digits, intervals,
                            push_intervals, pop_digits, gradients_at,   normal,       solve};

#include "windows.h"

#include "attention.h"

#include "transformer.h"

#include "pixels.h"

#include "convnet.h"

static const Masked masked = {pair_product, transformer, convnet};

#define CATZIP_CORE(label)                                                                                  \
    {                                                                                                       \
        label, IN_BLOCKS, supported, product, norm, frequencies, contexts, network, mixture, predict,       \
            begin, ask, tell, end, pop_step, pop_steps, &flows, &masked                              \
    }
