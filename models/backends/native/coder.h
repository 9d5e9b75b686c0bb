/* rANS of decisions, as FORMAT.md has it: a head of 64 bits, words of 32, PMFs of 24 bits. Below p, the probability of
 * a 1 in 16 bits, is that of a 0. */

/* A decision off the stack. One that is empty gives zeros; damage gives plausible decisions, and never more words. */
static inline int pop(Stack *stack, uint32_t p)
{
    const uint64_t ones = (uint64_t)p << 8, zeros = TOTAL - ones, place = stack->head & (TOTAL - 1);
    const int bit = place >= zeros;
    stack->head = (stack->head >> 24) * (bit ? ones : zeros) + place - (bit ? zeros : 0);
    if (stack->head >> 32 == 0 && stack->count) stack->head = stack->head << 32 | stack->words[--stack->count];
    return bit;
}
