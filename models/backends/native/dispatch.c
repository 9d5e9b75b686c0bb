/* What the shared object shows: its variants, the fastest first, and the sizes of its structures. */
#include "core.h"

extern const Core catzip_generic;
#if defined(__x86_64__)
extern const Core catzip_avx2, catzip_avx512_vnni;
#endif

#ifndef CATZIP_SOURCE
#define CATZIP_SOURCE ""
#endif

#define SHOWN __attribute__((visibility("default")))

static const Core *const variants[] = {
#if defined(__x86_64__)
    &catzip_avx512_vnni,
    &catzip_avx2,
#endif
    &catzip_generic,
    0,
};

SHOWN const Core *catzip_variant(int64_t place);
SHOWN const char *catzip_source(void);
SHOWN int64_t catzip_size(int64_t which);

/* The variant at this place, or 0 after the last. */
const Core *catzip_variant(int64_t place) { return variants[place]; }

/* The digest of the sources that this was compiled from. */
const char *catzip_source(void) { return CATZIP_SOURCE; }

/* The size of a structure, which Python holds against its own. */
int64_t catzip_size(int64_t which)
{
    const int64_t sizes[] = {sizeof(Linear), sizeof(Model), sizeof(Work), sizeof(Lane), sizeof(RichLane), sizeof(Rich),
                             sizeof(Frame), sizeof(Seen),
                             sizeof(Stack), sizeof(Core), sizeof(Prior), sizeof(Level), sizeof(Logistic),
                             sizeof(Interval), sizeof(Recorded), sizeof(Flows),
                             sizeof(Transformer), sizeof(Cache), sizeof(Desk), sizeof(Ask), sizeof(ConvNet),
                             sizeof(Easel), sizeof(ImageAsk), sizeof(Masked)};
    return sizes[which];
}
