/* The masked transformer of `networks/masked_transformer.py`, tile by tile. */

/* Places of items, one item after the other: as many of each, those in `places` or, without these, the first. */
typedef struct {
    int64_t from, each;
    const int64_t *places;
} Rows;

static inline int64_t item_of(const Rows *rows, int64_t r) { return (rows->from + r) / rows->each; }

static inline int64_t place_of(const Rows *rows, int64_t r)
{
    const int64_t at = (rows->from + r) % rows->each;
    return rows->places ? rows->places[at] : at;
}

/* Where keys or values of an item begin. */
static inline int64_t keys_of(const Transformer *net, const Cache *cache, int64_t item)
{
    return (item - cache->first) * net->heads * padded(net->length) * HEAD / 2;
}

static inline uint8_t *told_of(const Transformer *net, const Cache *cache, int64_t item, int64_t place)
{
    return cache->codes + ((item - cache->first) * net->length + place) * net->told;
}

/* The product of the codes of a tile, settled. */
static void settled(const Transformer *net, const Linear *layer, const Desk *desk, int64_t rows, int32_t limit)
{
    const int64_t wide = layer->outputs;
    product(layer, desk->codes, net->stride, rows, desk->sums);
    for (int64_t r = 0; r < rows; r++)
        settle_row(desk->sums + r * wide, layer->scale, layer->offset, limit, wide);
}

/* The product of the codes of a tile, added to its residual. */
static void added(const Transformer *net, const Linear *layer, const Desk *desk, int64_t rows)
{
    product(layer, desk->codes, net->stride, rows, desk->sums);
    add_residual(layer, desk->sums, rows, desk->residual);
}

static void normed(const Transformer *net, const Desk *desk, int64_t rows)
{
    norm(desk->residual, rows, net->width, desk->codes, net->stride);
}

/* What enters the first layer at the places of a tile, from the codes that they are told. */
static void enter(const Transformer *net, const Cache *cache, const Rows *rows, int64_t count, const Desk *desk)
{
    for (int64_t r = 0; r < count; r++)
        memcpy(desk->codes + r * net->stride, told_of(net, cache, item_of(rows, r), place_of(rows, r)),
               (size_t)net->told);
    memset(desk->residual, 0, (size_t)(count * net->inputs.outputs) * sizeof *desk->residual);
    added(net, &net->inputs, desk, count);
}

/* Keys and values of a layer, of the residual of a tile, go to a cache. */
static void keep_keys_values(const Transformer *net, const Attention *layer, const Cache *cache, const Rows *rows,
                             int64_t count, const Desk *desk)
{
    const int64_t wide = padded(net->length);
    normed(net, desk, count);
    settled(net, &layer->keys_values, desk, count, CODE_MAX);
    for (int64_t r = 0; r < count; r++) {
        const int64_t place = place_of(rows, r), at = keys_of(net, cache, item_of(rows, r));
        const int32_t *codes = desk->sums + r * layer->keys_values.outputs;
        for (int64_t head = 0; head < net->heads; head++, codes += HEAD) {
            const int64_t from = at + head * wide * HEAD / 2;
            keep_key(codes, cache->key + from + place / BLOCK * (HEAD / 2) * BLOCK + place % BLOCK);
            keep_value(codes + net->heads * HEAD, wide / 2 * BLOCK, (uint32_t)(place % 2),
                       cache->value + from + place / 2 * BLOCK);
        }
    }
}

/* What `count` queries of an item attend to in one head; first: the first of these rows of the tile. */
static void attend_head(const Transformer *net, const Attention *layer, const Cache *cache, const Rows *rows,
                        int64_t first, int64_t count, int64_t head, const Desk *desk)
{
    const int64_t wide = padded(net->length), inner = net->heads * HEAD, length = net->length;
    const int64_t at = keys_of(net, cache, item_of(rows, first)) + head * wide * HEAD / 2;
    int64_t weights[ROWS];
    pair_product(cache->key + at, HEAD, wide, desk->query + first * inner + head * HEAD, inner, count, desk->score);
    for (int64_t r = 0; r < count; r++) {
        int32_t *score = desk->score + r * wide;
        const int32_t *position = layer->position + head * (2 * length - 1) + length - 1;
        score_row(position - place_of(rows, first + r), (int32_t)net->weight_last, length, score);
        look_up_row(net->weight, length, score);
        weights[r] = sum_of(score, length);
        memset(score + length, 0, (size_t)(wide - length) * sizeof *score);
        narrow_row(score, wide, desk->weight + r * wide);
    }
    pair_product(cache->value + at, wide, HEAD, desk->weight, wide, count, desk->score);
    for (int64_t r = 0; r < count; r++)
        attended_row(desk->score + r * HEAD, weights[r], desk->codes + (first + r) * net->stride + head * HEAD);
}

/* A layer on the residual of a tile: attention to the keys and values in a cache, then the gated MLP. */
static void attend(const Transformer *net, int64_t depth, const Cache *cache, const Rows *rows, int64_t count,
                   const Desk *desk)
{
    const Attention *layer = &net->attention[depth];
    const Mlp *mlp = &net->mlp[depth];
    normed(net, desk, count);
    settled(net, &layer->query, desk, count, CODE_MAX);
    narrow_row(desk->sums, count * net->heads * HEAD, desk->query);
    for (int64_t r = 0, next; r < count; r = next) {
        next = (item_of(rows, r) + 1) * rows->each - rows->from;
        next = next < count ? next : count;
        for (int64_t head = 0; head < net->heads; head++)
            attend_head(net, layer, cache, rows, r, next - r, head, desk);
    }
    added(net, &layer->out, desk, count);
    normed(net, desk, count);
    settled(net, &mlp->inputs, desk, count, CODE_MAX);
    for (int64_t r = 0; r < count; r++) {
        const int32_t *gate = desk->sums + r * mlp->inputs.outputs;
        gate_row(gate, gate + net->hidden, net->hidden, desk->codes + r * net->stride);
    }
    added(net, &mlp->out, desk, count);
}

/* The frequencies of a tile whose residual has been through all layers; rows: those of the call. */
static void answer(const Transformer *net, const Cache *cache, const Ask *ask, const Rows *rows, int64_t count,
                   const Desk *desk)
{
    const size_t told = (size_t)(net->windows * net->alphabet);
    normed(net, desk, count);
    for (int64_t r = 0; r < count; r++)
        memcpy(desk->codes + r * net->stride + net->width, told_of(net, cache, item_of(rows, r), place_of(rows, r)),
               told);
    settled(net, &net->head, desk, count, LOGIT_MAX);
    for (int64_t r = 0; r < count; r++) {
        int32_t *out = ask->out + (rows->from + r) * net->alphabet;
        below_largest(desk->sums + r * net->head.outputs, (int32_t)net->exp_last, net->alphabet, out);
        look_up_row(net->exp, net->alphabet, out);
        mass_row(net->alphabet, out);
    }
}

/* What stale places are told, and their keys and values in the first layer. */
static void renew(const Transformer *net, const Cache *cache, const Ask *ask, const Rows *rows, int64_t count,
                  const Desk *desk)
{
    int64_t shown = -1;
    for (int64_t r = 0; r < count; r++) {
        const int64_t item = item_of(rows, r), place = place_of(rows, r);
        uint8_t *codes = told_of(net, cache, item, place), *others = codes + net->windows * net->alphabet;
        if (item != shown)
            show(ask->values + item * net->length, ask->known, net->alphabet, net->length, net->reach, desk->symbols);
        shown = item;
        see(net, desk->symbols + net->reach + place, desk->seeing[(rows->from + r) % rows->each], codes);
        if (ask->news) continue;
        copy_row(net->place + place * net->embed, net->embed, others);
        copy_row(net->time + ask->time * net->embed, net->embed, others + net->embed);
    }
    enter(net, cache, rows, count, desk);
    keep_keys_values(net, &net->attention[0], cache, rows, count, desk);
}

static inline int64_t fewer(int64_t left) { return left < ROWS ? left : ROWS; }

/* The residual of a tile between two layers. */
static void fetch(const Transformer *net, const Cache *all, const Rows *rows, int64_t count, const Desk *desk)
{
    const int64_t wide = padded(net->width);
    for (int64_t r = 0; r < count; r++)
        widen_row(all->residual + place_of(rows, r) * wide, wide, desk->residual + r * wide);
}

static void keep(const Transformer *net, const Cache *all, const Rows *rows, int64_t count, const Desk *desk)
{
    const int64_t wide = padded(net->width);
    for (int64_t r = 0; r < count; r++)
        narrow_row(desk->residual + r * wide, wide, all->residual + place_of(rows, r) * wide);
}

/* The places of an item that a layer is asked for: all but for the last, which is asked for what is wanted. */
static void ask_layer(const Transformer *net, int64_t depth, const Cache *cache, const Cache *all, const Ask *ask,
                      int64_t item, const Desk *desk)
{
    const int last = depth == net->depth - 1;
    const int64_t each = last ? ask->wants : net->length;
    for (int64_t at = 0; at < each; at += ROWS) {
        const Rows rows = {item * each + at, each, last ? ask->wanted : 0};
        const int64_t count = fewer(each - at);
        if (depth)
            fetch(net, all, &rows, count, desk);
        else
            enter(net, cache, &rows, count, desk);
        attend(net, depth, depth ? all : cache, &rows, count, desk);
        if (last)
            answer(net, cache, ask, &rows, count, desk);
        else
            keep(net, all, &rows, count, desk);
    }
}

/* An item of several layers. */
static void deep(const Transformer *net, const Cache *cache, const Ask *ask, int64_t item, const Desk *desk)
{
    Cache all = desk->deep;
    all.first = item;
    ask_layer(net, 0, cache, &all, ask, item, desk);
    for (int64_t depth = 1; depth < net->depth; depth++) {
        for (int64_t at = 0; at < net->length; at += ROWS) {
            const Rows rows = {item * net->length + at, net->length, 0};
            fetch(net, &all, &rows, fewer(net->length - at), desk);
            keep_keys_values(net, &net->attention[depth], &all, &rows, fewer(net->length - at), desk);
        }
        ask_layer(net, depth, cache, &all, ask, item, desk);
    }
}

/* `Transformer.frequencies` of some items. */
static void transformer(const Transformer *net, const Cache *cache, const Desk *desk, const Ask *ask)
{
    look_around(net, ask, desk);
    for (int64_t at = ask->first * ask->stales; at < ask->last * ask->stales; at += ROWS) {
        const Rows rows = {at, ask->stales, ask->stale};
        renew(net, cache, ask, &rows, fewer(ask->last * ask->stales - at), desk);
    }
    for (int64_t item = ask->first; net->depth > 1 && item < ask->last; item++) deep(net, cache, ask, item, desk);
    for (int64_t at = ask->first * ask->wants; net->depth == 1 && at < ask->last * ask->wants; at += ROWS) {
        const Rows rows = {at, ask->wants, ask->wanted};
        const int64_t count = fewer(ask->last * ask->wants - at);
        enter(net, cache, &rows, count, desk);
        attend(net, 0, cache, &rows, count, desk);
        answer(net, cache, ask, &rows, count, desk);
    }
}
