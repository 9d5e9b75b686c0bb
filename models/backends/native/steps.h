/* Decoding: contexts, network, mixture and rANS, step by step. */

/* Before the first decision of a step. */
static void begin(const Model *model, Frame *frame, const Seen *seen)
{
    const int64_t lanes = active(frame, frame->mixed);
    if (model->rich) rich_rates(frame);
    for (int64_t a = 0; a < lanes; a++) {
        if (model->rich)
            rich_begin(model, frame, a);
        else
            hash_contexts(model, frame, seen->past[a], a);
        frame->node[a] = 1;
    }
}

/* The probabilities of a decision of all lanes, into frame->said. */
static void ask(const Model *model, Frame *frame, const Seen *seen, int64_t decision)
{
    const int64_t all = (int64_t)1 << model->decisions, rest = all >> decision, lanes = active(frame, frame->mixed);
    const int64_t *weights = frame->weights + decision * (model->contexts + 1) * MATCH_LENGTHS;
    if (!model->rich)
        for (int64_t a = 0; a < lanes; a++) find(model, frame, a, frame->node[a]);
    else if (decision % 4 == 0)
        find_lines(frame, lanes);
    for (int64_t a = 0; a < lanes; a++)
        frame->said[a] = said_of(frame->below + a * (all + 1), (int64_t)frame->node[a] * rest - all, rest);
    for (int64_t a = 0; a < lanes; a++)
        frame->said[a] = model->rich ? rich_say(model, frame, a, frame->said[a], decision)
                                     : say(model, frame, a, frame->said[a], seen->length[a], weights);
}

/* What frame->bit has come of it. */
static void tell(const Model *model, Frame *frame, int64_t decision)
{
    const int64_t lanes = active(frame, frame->mixed);
    int64_t *weights = frame->weights + decision * (model->contexts + 1) * MATCH_LENGTHS;
    for (int64_t a = 0; a < lanes; a++) {
        if (model->rich)
            rich_learn(model, frame, a, frame->bit[a], decision);
        else
            learn(model, frame, a, frame->bit[a], weights);
        frame->node[a] = frame->node[a] << 1 | frame->bit[a];
    }
}

/* The symbols of a step whose decisions are made, into column [lanes]; those of lanes without one are 0. OUTSIDE for a
 * symbol that the alphabet has not. */
static int end(const Model *model, Frame *frame, uint8_t *column)
{
    const int64_t all = (int64_t)1 << model->decisions, lanes = active(frame, frame->mixed);
    for (int64_t a = 0; a < frame->lanes; a++) {
        const int64_t symbol = a < lanes ? (int64_t)frame->node[a] - all : 0;
        if (symbol >= model->alphabet) return OUTSIDE;
        column[a] = (uint8_t)symbol;
    }
    remember(frame, column);
    if (model->rich) rich_advance(model, frame, column);
    advance_words(model, frame, column);
    frame->mixed++;
    return DONE;
}

/* A step off the stack. */
static int pop_step(const Model *model, Frame *frame, const Seen *seen, Stack *stack, uint8_t *column)
{
    const int64_t lanes = active(frame, frame->mixed);
    begin(model, frame, seen);
    for (int64_t i = 0; i < model->decisions; i++) {
        ask(model, frame, seen, i);
        for (int64_t a = 0; a < lanes; a++) frame->bit[a] = (uint8_t)pop(stack, (uint32_t)frame->said[a]);
        tell(model, frame, i);
    }
    return end(model, frame, column);
}

/* So many steps into grid [steps, lanes], in one thread. */
static int pop_steps(const Model *model, Frame *frame, Work *work, int64_t steps, Seen *seen, Stack *stack,
                     uint8_t *grid)
{
    for (int64_t t = 0; t < steps; t++) {
        predict(frame, seen);
        network(model, frame, work, 1, 0, frame->lanes, seen, 0);
        const int found = pop_step(model, frame, seen, stack, grid + t * frame->lanes);
        if (found != DONE) return found;
    }
    return DONE;
}
