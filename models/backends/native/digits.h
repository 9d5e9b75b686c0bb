/* rANS of digits, as FORMAT.md has it and `coder.h` of decisions. */

static inline void push(Stack *stack, uint32_t low, uint32_t size)
{
    if (stack->head >> 40 >= size) {
        stack->words[stack->count++] = (uint32_t)stack->head;
        stack->head >>= 32;
    }
    stack->head = (stack->head / size) << 24 | (stack->head % size + low);
}

/* The last one first, so that they are popped in their order. There is room for a word each. */
static void push_intervals(Stack *stack, const Interval *intervals, int64_t count)
{
    while (count--) push(stack, intervals[count].low, intervals[count].size);
}

/* A digit for each row of frequencies [count, 16]. */
static void pop_digits(Stack *stack, const int32_t *frequencies, int64_t count, uint8_t *digits)
{
    for (int64_t r = 0; r < count; r++, frequencies += DIGITS) {
        const uint32_t place = stack->head & (TOTAL - 1);
        uint32_t low = 0, digit = 0;
        while (digit < DIGITS - 1 && low + (uint32_t)frequencies[digit] <= place) low += (uint32_t)frequencies[digit++];
        stack->head = (stack->head >> 24) * (uint32_t)frequencies[digit] + place - low;
        if (stack->head >> 32 == 0 && stack->count) stack->head = stack->head << 32 | stack->words[--stack->count];
        digits[r] = (uint8_t)digit;
    }
}
