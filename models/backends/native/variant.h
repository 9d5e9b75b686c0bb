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

#define CATZIP_CORE(label)                                                                                  \
    {                                                                                                       \
        label, IN_BLOCKS, supported, product, norm, frequencies, contexts, network, mixture, predict,       \
            begin, ask, tell, end, pop_step, pop_steps                                                      \
    }
