/* Terms of the convolution exponential, and their gradients, by Winograd's F(4x4, 5x5); winograd.py has the maths.

   Compiled with -DVEC=4, 8 or 16, the floats of a vector. Images are (N, H, W, C), C at least VEC. A tile is 4 x 4 pixels of the result, for which 8 x 8 of the image are read;
   tiles count row by row, image by image, and `first` to `last` of them are done here, `chunk` at a time, so that their
   planes stay in cache. A plane has one of the 64 products for every tile: (tiles, padded), padded the channels rounded
   up to VEC. Planes stand `plane` floats apart. */

#include <string.h>

#if VEC == 16
#define ROWS 8
#else
#define ROWS 6
#endif
#define PER 4
#define SIDE 8
#define POINTS 64
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

typedef float vec __attribute__((vector_size(4 * VEC)));
typedef float loose __attribute__((vector_size(4 * VEC), aligned(4), may_alias)); /* as it lies in memory */

typedef struct {
    long images, height, width, channels, first, last, chunk;
} job;

INLINE vec load(const float *p) { return *(const loose *)p; }
INLINE void store(float *p, vec v) { *(loose *)p = v; }
INLINE long padded_of(long channels) { return (channels + VEC - 1) / VEC * VEC; }
INLINE long plane_of(long tiles, long padded) { return (tiles + ROWS) * padded + VEC; } /* no power of two */

/* 8 values of a line to the 8 points 0, 1, -1, 2, -2, 1/2, -1/2, infinity */
INLINE void to_points(const vec *d, vec *o) {
    vec even = d[6] - 4.25f * d[4] + d[2], odd = d[5] - 4.25f * d[3] + d[1];
    o[0] = d[6] - d[0] + 5.25f * (d[2] - d[4]);
    o[1] = even + odd;
    o[2] = even - odd;
    even = d[6] - 1.25f * d[4] + 0.25f * d[2], odd = 2 * d[5] - 2.5f * d[3] + 0.5f * d[1];
    o[3] = even + odd;
    o[4] = even - odd;
    even = d[6] - 5 * d[4] + 4 * d[2], odd = 0.5f * d[5] - 2.5f * d[3] + 2 * d[1];
    o[5] = even + odd;
    o[6] = even - odd;
    o[7] = d[7] - d[1] + 5.25f * (d[3] - d[5]);
}

/* products at the 8 points to 4 values of a line */
INLINE void from_points(const vec *p, vec *o) {
    vec sum1 = p[1] + p[2], sum2 = p[3] + p[4], sum3 = p[5] + p[6];
    vec difference1 = p[1] - p[2], difference2 = p[3] - p[4], difference3 = p[5] - p[6];
    o[0] = p[0] + sum1 + sum2 + sum3;
    o[1] = difference1 + 2 * difference2 + 0.5f * difference3;
    o[2] = sum1 + 4 * sum2 + 0.25f * sum3;
    o[3] = difference1 + 8 * difference2 + 0.125f * difference3 + p[7];
}

/* the transpose of from_points: gradients of 4 values to those of the 8 products */
INLINE void gradient_to_points(const vec *g, vec *o) {
    vec even = g[0] + g[2], odd = g[1] + g[3];
    o[0] = g[0];
    o[1] = even + odd;
    o[2] = even - odd;
    even = g[0] + 4 * g[2], odd = 2 * g[1] + 8 * g[3];
    o[3] = even + odd;
    o[4] = even - odd;
    even = g[0] + 0.25f * g[2], odd = 0.5f * g[1] + 0.125f * g[3];
    o[5] = even + odd;
    o[6] = even - odd;
    o[7] = g[3];
}

/* 5 weights of a line to the 8 points */
INLINE void kernel_to_points(const vec *k, vec *o) {
    vec even = -2 / 9.0f * (k[0] + k[2] + k[4]), odd = -2 / 9.0f * (k[1] + k[3]);
    o[0] = -k[0];
    o[1] = even + odd;
    o[2] = even - odd;
    even = 1 / 90.0f * (k[0] + 4 * k[2] + 16 * k[4]), odd = 1 / 45.0f * (k[1] + 4 * k[3]);
    o[3] = even + odd;
    o[4] = even - odd;
    even = 2 / 45.0f * (16 * k[0] + 4 * k[2] + k[4]), odd = 4 / 45.0f * (4 * k[1] + k[3]);
    o[5] = even + odd;
    o[6] = even - odd;
    o[7] = k[4];
}

typedef struct {
    long image, top, left;
} place;

INLINE place place_of(long tile, const job *j) {
    long down = (j->height + PER - 1) / PER, across = (j->width + PER - 1) / PER;
    return (place){tile / (down * across), tile / across % down * PER, tile % across * PER};
}

/* VEC channels of `size` x `size` pixels from (top, left) on; zero outside of the image */
INLINE void window(const float *x, const job *j, place at, long top, long left, int size, long c, vec out[][SIDE]) {
    const float *image = x + at.image * j->height * j->width * j->channels + c;
    int inside = top >= 0 && left >= 0 && top + size <= j->height && left + size <= j->width;
    for (int i = 0; inside && i < size; i++)
        UNROLL for (int k = 0; k < size; k++) out[i][k] = load(image + ((top + i) * j->width + left + k) * j->channels);
    for (int i = 0; !inside && i < size; i++)
        for (int k = 0; k < size; k++) {
            long row = top + i, column = left + k;
            int there = row >= 0 && row < j->height && column >= 0 && column < j->width;
            out[i][k] = there ? load(image + (row * j->width + column) * j->channels) : (vec){0};
        }
}

/* The last VEC channels may overlap those before: the same is written twice. */
#define OVER_CHANNELS(c, channels) \
    for (long at_ = 0, c = 0; at_ < (channels); at_ += VEC, c = at_ + VEC <= (channels) ? at_ : (channels) - VEC)

/* kernel (C out, C in, 5, 5) to points (64, padded / VEC, C in, VEC out); turned: those of the transposed convolution */
void kernel_points(const float *kernel, long channels, int turned, float *points) {
    long padded = padded_of(channels), out_step = 25 * (turned ? 1 : channels), in_step = 25 * (turned ? channels : 1);
    for (long o = 0; o < padded; o += VEC)
        for (long i = 0; i < channels; i++) {
            vec weights[SIDE][SIDE], half[SIDE][SIDE], line[SIDE], out[SIDE];
            for (int tap = 0; tap < 25; tap++)
                for (int v = 0; v < VEC; v++)
                    weights[tap / 5][tap % 5][v] =
                        o + v < channels ? kernel[(o + v) * out_step + i * in_step + (turned ? 24 - tap : tap)] : 0;
            UNROLL for (int a = 0; a < 5; a++) kernel_to_points(weights[a], half[a]);
            UNROLL for (int b = 0; b < SIDE; b++) {
                UNROLL for (int a = 0; a < 5; a++) line[a] = half[a][b];
                kernel_to_points(line, out);
                UNROLL for (int a = 0; a < SIDE; a++)
                    store(points + (((a * SIDE + b) * padded + o) * channels + i * VEC), out[a]);
            }
        }
}

/* planes of tiles' windows, or of gradients at tiles */
INLINE void to_planes(const float *x, const job *j, long start, long count, float *planes, int gradient) {
    long padded = padded_of(j->channels), plane = plane_of(j->chunk, padded);
    for (long t = 0; t < count; t++) {
        place at = place_of(start + t, j);
        OVER_CHANNELS(c, j->channels) {
            vec pixels[SIDE][SIDE], half[SIDE][SIDE], line[SIDE], out[SIDE];
            int size = gradient ? PER : SIDE, before = gradient ? 0 : 2;
            window(x, j, at, at.top - before, at.left - before, size, c, pixels);
            UNROLL for (int i = 0; i < size; i++) (gradient ? gradient_to_points : to_points)(pixels[i], half[i]);
            UNROLL for (int k = 0; k < SIDE; k++) {
                UNROLL for (int i = 0; i < size; i++) line[i] = half[i][k];
                (gradient ? gradient_to_points : to_points)(line, out);
                UNROLL for (int i = 0; i < SIDE; i++) store(planes + (i * SIDE + k) * plane + t * padded + c, out[i]);
            }
        }
    }
}

/* y = x + scale * the tiles of products; x may be NULL for zero */
INLINE void from_planes(const float *planes, const job *j, long start, long count, const float *x, float *y, float scale) {
    long padded = padded_of(j->channels), plane = plane_of(j->chunk, padded);
    for (long t = 0; t < count; t++) {
        place at = place_of(start + t, j);
        OVER_CHANNELS(c, j->channels) {
            vec half[SIDE][PER], line[SIDE], out[PER];
            UNROLL for (int i = 0; i < SIDE; i++) {
                UNROLL for (int k = 0; k < SIDE; k++) line[k] = load(planes + (i * SIDE + k) * plane + t * padded + c);
                from_points(line, half[i]);
            }
            UNROLL for (int k = 0; k < PER; k++) {
                UNROLL for (int i = 0; i < SIDE; i++) line[i] = half[i][k];
                from_points(line, out);
                UNROLL for (int i = 0; i < PER; i++) {
                    long row = at.top + i, column = at.left + k;
                    if (row < j->height && column < j->width) {
                        long pixel = ((at.image * j->height + row) * j->width + column) * j->channels + c;
                        store(y + pixel, (x ? load(x + pixel) : (vec){0}) + scale * out[i]);
                    }
                }
            }
        }
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

/* y = x + scale * M total. kernels: of kernel_points. work: `work_size` floats. */
void term(const job *j, const float *total, const float *x, float *y, const float *kernels, float scale, float *work) {
    long C = j->channels, padded = padded_of(C), plane = plane_of(j->chunk, padded);
    float *rows = work + POINTS * plane;
    for (long start = j->first; start < j->last; start += j->chunk) {
        long count = start + j->chunk < j->last ? j->chunk : j->last - start;
        to_planes(total, j, start, count, work, 0);
        for (long p = 0; p < POINTS; p++) {
            float *products = work + p * plane;
            memcpy(rows, products, sizeof(float) * count * padded);
            for (long o = 0; o < padded; o += 2 * VEC) {
                const float *kernel = kernels + (p * padded + o) * C;
                for (long t = 0; t < count; t += ROWS)
                    either(rows + t * padded, padded, 1, kernel, VEC, C * VEC, C, products + t * padded + o, padded,
                           count - t, o + VEC < padded, 0, 1);
            }
        }
        from_planes(work, j, start, count, x, y, scale);
    }
}

/* gradients (64, C in, padded out) += scale * what the kernels' points get of `total` and the gradient g of M total */
void kernel_gradient(const job *j, const float *total, const float *g, float *gradients, float scale, float *work) {
    long C = j->channels, padded = padded_of(C), plane = plane_of(j->chunk, padded);
    float *right = work + POINTS * plane;
    for (long start = j->first; start < j->last; start += j->chunk) {
        long count = start + j->chunk < j->last ? j->chunk : j->last - start;
        to_planes(total, j, start, count, work, 0);
        to_planes(g, j, start, count, right, 1);
        for (long p = 0; p < POINTS; p++) {
            for (long i = 0; i < C; i += ROWS)
                for (long o = 0; o < padded; o += 2 * VEC)
                    either(work + p * plane + i, 1, padded, right + p * plane + o, padded, VEC, count,
                           gradients + (p * C + i) * padded + o, padded, C - i, o + VEC < padded, 1, scale);
        }
    }
}

/* floats of `work` */
long work_size(const job *j, int gradient) {
    long plane = plane_of(j->chunk, padded_of(j->channels));
    return (gradient ? 2 * POINTS : POINTS + 1) * plane + ROWS * VEC;
}
