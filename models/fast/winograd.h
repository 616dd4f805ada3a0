/* What the Winograd algorithms of winograd.c and reflected.c share; winograd.py has the maths.

   Compiled with -DVEC=4, 8 or 16, the floats of a vector. A source defines SIZE, the side of its kernels, and PER before
   including this file, and then the functions declared below. Images are (N, H, W, C), C at least VEC. A tile is PER x
   PER pixels of the result, for which SIDE x SIDE of the image are read; tiles count row by row, image by image, and
   `first` to `last` of them are done, `chunk` at a time, so that their planes stay in cache. A plane has one of the
   POINTS products for every tile: (tiles, padded), padded the channels rounded up to VEC. Planes stand `plane` floats
   apart. */

#include <string.h>

#if VEC == 16
#define ROWS 8
#else
#define ROWS 6
#endif
#define SIDE (PER + SIZE - 1)
#define POINTS (SIDE * SIDE)
#define TAPS (SIZE * SIZE)
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

typedef float vec __attribute__((vector_size(4 * VEC)));
typedef float loose __attribute__((vector_size(4 * VEC), aligned(4), may_alias)); /* as it lies in memory */

typedef struct {
    long images, height, width, channels_in, channels_out, first, last, chunk;
} job;

INLINE vec load(const float *p) { return *(const loose *)p; }
INLINE void store(float *p, vec v) { *(loose *)p = v; }
INLINE long padded_of(long channels) { return (channels + VEC - 1) / VEC * VEC; }
INLINE long plane_of(const job *j) { /* no power of two */
    long channels = j->channels_in > j->channels_out ? j->channels_in : j->channels_out;
    return (j->chunk + ROWS) * padded_of(channels) + VEC;
}

/* floats from a kernel's values at one point to those at the next */
INLINE long stride_of(long channels_in, long channels_out) { return channels_in * padded_of(channels_out) + VEC; }

/* SIDE values of a line to the SIDE points */
INLINE void to_points(const vec *d, vec *o);
/* SIZE weights of a line to the points */
INLINE void kernel_to_points(const vec *k, vec *o);
/* products at the points to PER values of a line */
INLINE void from_points(const vec *p, vec *o);
/* the transpose of from_points: gradients of PER values to those of the products */
INLINE void gradient_to_points(const vec *g, vec *o);

typedef struct {
    long image, top, left;
} place;

/* the first pixel of a tile, if the tiles begin `margin` pixels before the image and end as far behind it */
INLINE place place_of(long tile, const job *j, long margin) {
    long down = (j->height + 2 * margin + PER - 1) / PER, across = (j->width + 2 * margin + PER - 1) / PER;
    return (place){tile / (down * across), tile / across % down * PER - margin, tile % across * PER - margin};
}

/* The last VEC channels may overlap those before: the same is written twice. */
#define OVER_CHANNELS(c, channels) \
    for (long at_ = 0, c = 0; at_ < (channels); at_ += VEC, c = at_ + VEC <= (channels) ? at_ : (channels) - VEC)

/* where pixel `i` of a line of `side` pixels is read: reflected at both ends, if at all; -1 for a zero */
INLINE long source_of(long i, long side, int reflect) {
    if (reflect && (i == -1 || i == side)) return i < 0 ? 1 : side - 2;
    return i < 0 || i >= side ? -1 : i;
}

/* VEC channels, from c on, of `size` x `size` pixels from (top, left) on */
INLINE void window(const float *image, long height, long width, long channels, long top, long left, int size,
                   int reflect, vec out[][SIDE]) {
    int inside = top >= 0 && left >= 0 && top + size <= height && left + size <= width;
    for (int i = 0; inside && i < size; i++)
        UNROLL for (int k = 0; k < size; k++) out[i][k] = load(image + ((top + i) * width + left + k) * channels);
    for (int i = 0; !inside && i < size; i++) {
        long row = source_of(top + i, height, reflect);
        for (int k = 0; k < size; k++) {
            long column = source_of(left + k, width, reflect);
            out[i][k] = row < 0 || column < 0 ? (vec){0} : load(image + (row * width + column) * channels);
        }
    }
}


/* kernel (C out, C in, SIZE, SIZE) to points (POINTS, padded C out / VEC, C in, VEC), VEC floats apart. turned: the points of the transposed
   convolution, whose channels are given; the kernel is then (C in, C out, SIZE, SIZE). */
void kernel_points(const float *kernel, long channels_in, long channels_out, int turned, float *points) {
    long padded = padded_of(channels_out), stride = stride_of(channels_in, channels_out);
    long out_step = TAPS * (turned ? 1 : channels_in), in_step = TAPS * (turned ? channels_out : 1);
    for (long o = 0; o < padded; o += VEC)
        for (long i = 0; i < channels_in; i++) {
            vec weights[SIDE][SIDE], half[SIDE][SIDE], line[SIDE], out[SIDE];
            for (int tap = 0; tap < TAPS; tap++)
                for (int v = 0; v < VEC; v++) {
                    const float *from = kernel + (o + v) * out_step + i * in_step + (turned ? TAPS - 1 - tap : tap);
                    weights[tap / SIZE][tap % SIZE][v] = o + v < channels_out ? *from : 0;
                }
            UNROLL for (int a = 0; a < SIZE; a++) kernel_to_points(weights[a], half[a]);
            UNROLL for (int b = 0; b < SIDE; b++) {
                UNROLL for (int a = 0; a < SIZE; a++) line[a] = half[a][b];
                kernel_to_points(line, out);
                UNROLL for (int a = 0; a < SIDE; a++)
                    store(points + (a * SIDE + b) * stride + o * channels_in + i * VEC, out[a]);
            }
        }
}

/* planes of tiles' windows, which begin `before` pixels before the tile, or of gradients at tiles, and after these one
   more plane of their sums */
INLINE void to_planes(const float *x, const job *j, long channels, long start, long count, float *planes, int gradient,
                      int before, long margin, int reflect) {
    long padded = padded_of(channels), plane = plane_of(j);
    int size = gradient ? PER : SIDE;
    for (long t = 0; t < count; t++) {
        place at = place_of(start + t, j, margin);
        OVER_CHANNELS(c, channels) {
            vec pixels[SIDE][SIDE], half[SIDE][SIDE], line[SIDE], out[SIDE];
            const float *image = x + at.image * j->height * j->width * channels + c;
            window(image, j->height, j->width, channels, at.top - before, at.left - before, size, reflect, pixels);
            if (gradient) {
                vec sum = {0};
                UNROLL for (int i = 0; i < PER; i++) UNROLL for (int k = 0; k < PER; k++) sum += pixels[i][k];
                store(planes + POINTS * plane + t * padded + c, sum);
            }
            UNROLL for (int i = 0; i < size; i++) (gradient ? gradient_to_points : to_points)(pixels[i], half[i]);
            UNROLL for (int k = 0; k < SIDE; k++) {
                UNROLL for (int i = 0; i < size; i++) line[i] = half[i][k];
                (gradient ? gradient_to_points : to_points)(line, out);
                UNROLL for (int i = 0; i < SIDE; i++) store(planes + (i * SIDE + k) * plane + t * padded + c, out[i]);
            }
        }
    }
}

/* the products of one tile, in planes, to its pixels */
INLINE void to_pixels(const float *planes, long plane, vec out[PER][PER]) {
    vec half[SIDE][PER], line[SIDE], column[PER];
    UNROLL for (int i = 0; i < SIDE; i++) {
        UNROLL for (int k = 0; k < SIDE; k++) line[k] = load(planes + (i * SIDE + k) * plane);
        from_points(line, half[i]);
    }
    UNROLL for (int k = 0; k < PER; k++) {
        UNROLL for (int i = 0; i < SIDE; i++) line[i] = half[i][k];
        from_points(line, column);
        UNROLL for (int i = 0; i < PER; i++) out[i][k] = column[i];
    }
}

/* `valid` of ROWS rows of c, `vectors` (1 or 2) wide: a b, or c + scale a b. a[r, k] = a[r * a_row + k * a_k]. */
INLINE void block(const float *a, long a_row, long a_k, const float *b, long b_k, long b_vector, long depth, float *c,
                  long c_row, long valid, int vectors, int add, float scale) {
    vec sums[ROWS][2] = {{{0}}};
    for (long k = 0; k < depth; k++) {
        vec right[2];
        UNROLL for (int v = 0; v < vectors; v++) right[v] = load(b + k * b_k + v * b_vector);
        UNROLL for (int r = 0; r < ROWS; r++) {
            float left = a[r * a_row + k * a_k];
            UNROLL for (int v = 0; v < vectors; v++) sums[r][v] += left * right[v];
        }
    }
    UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int v = 0; v < vectors; v++) {
        float *to = c + r * c_row + v * VEC;
        if (r < valid) store(to, add ? load(to) + scale * sums[r][v] : sums[r][v]);
    }
}

/* two vectors wide, or one */
INLINE void either(const float *a, long a_row, long a_k, const float *b, long b_k, long b_vector, long depth, float *c,
                   long c_row, long valid, int two, int add, float scale) {
    if (two)
        block(a, a_row, a_k, b, b_k, b_vector, depth, c, c_row, valid, 2, add, scale);
    else
        block(a, a_row, a_k, b, b_k, b_vector, depth, c, c_row, valid, 1, add, scale);
}

/* planes (tiles, padded C in) times the kernels' points, in place: (tiles, padded C out) */
INLINE void products(const job *j, long count, const float *kernels, float *work) {
    long depth = j->channels_in, in = padded_of(depth), out = padded_of(j->channels_out), plane = plane_of(j);
    long stride = stride_of(depth, j->channels_out);
    for (long p = 0; p < POINTS; p++) {
        float *planes = work + p * plane, *rows = planes;
        if (in != out || out > 2 * VEC) /* else a block reads all of its rows before it writes them */
            rows = memcpy(work + POINTS * plane, planes, sizeof(float) * count * in);
        for (long o = 0; o < out; o += 2 * VEC)
            for (long t = 0; t < count; t += ROWS)
                either(rows + t * in, in, 1, kernels + p * stride + o * depth, VEC, depth * VEC, depth,
                       planes + t * out + o, out, count - t, o + VEC < out, 0, 1);
    }
}

/* sums (POINTS, C in, padded C out) += scale * planes of windows (transposed) times planes of gradients */
INLINE void kernel_sums(const job *j, long count, const float *left, const float *right, float *sums, float scale) {
    long in = padded_of(j->channels_in), out = padded_of(j->channels_out), plane = plane_of(j);
    for (long p = 0; p < POINTS; p++)
        for (long i = 0; i < j->channels_in; i += ROWS)
            for (long o = 0; o < out; o += 2 * VEC)
                either(left + p * plane + i, 1, in, right + p * plane + o, out, VEC, count,
                       sums + (p * j->channels_in + i) * out + o, out, j->channels_in - i, o + VEC < out, 1, scale);
}

/* floats of `work` */
long work_size(const job *j, int gradient) { return ((gradient ? 2 * POINTS : POINTS) + 1) * plane_of(j) + ROWS * VEC; }
