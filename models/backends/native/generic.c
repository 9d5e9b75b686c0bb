/* For any processor. */
#include "variant.h"

static int supported(void) { return 1; }

extern const Core catzip_generic;
const Core catzip_generic = CATZIP_CORE("generic");
