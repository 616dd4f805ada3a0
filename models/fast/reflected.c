/* 3x3 convolutions of reflected images, and their gradients, by Winograd's F(4x4, 3x3); reflected.py has the maths. */

#define PER 4
#define SIZE 3
#include "winograd.h"

typedef int bits __attribute__((vector_size(4 * VEC)));

#define HALF_ROOT 0.70710678f /* the points are 0, ROOT, -ROOT, HALF_ROOT, -HALF_ROOT, infinity */
#define ROOT 1.41421356f

INLINE void to_points(const vec *d, vec *o) {
    vec even = d[4] - 0.5f * d[2], odd = ROOT * (d[3] - 0.5f * d[1]);
    o[0] = d[0] - 2.5f * d[2] + d[4];
    o[1] = even + odd;
    o[2] = even - odd;
    even = d[4] - 2 * d[2], odd = HALF_ROOT * d[3] - ROOT * d[1];
    o[3] = even + odd;
    o[4] = even - odd;
    o[5] = d[1] - 2.5f * d[3] + d[5];
}

INLINE void from_points(const vec *p, vec *o) {
    vec sum1 = p[1] + p[2], sum2 = p[3] + p[4], difference1 = p[1] - p[2], difference2 = p[3] - p[4];
    o[0] = p[0] + sum1 + sum2;
    o[1] = ROOT * difference1 + HALF_ROOT * difference2;
    o[2] = 2 * sum1 + 0.5f * sum2;
    o[3] = 2 * ROOT * difference1 + HALF_ROOT / 2 * difference2 + p[5];
}

INLINE void gradient_to_points(const vec *g, vec *o) {
    vec even = g[0] + 2 * g[2], odd = ROOT * (g[1] + 2 * g[3]);
    o[0] = g[0];
    o[1] = even + odd;
    o[2] = even - odd;
    even = g[0] + 0.5f * g[2], odd = HALF_ROOT * (g[1] + 0.5f * g[3]);
    o[3] = even + odd;
    o[4] = even - odd;
    o[5] = g[3];
}

INLINE void kernel_to_points(const vec *k, vec *o) {
    vec even = 1 / 6.0f * (k[0] + 2 * k[2]), odd = ROOT / 6 * k[1];
    o[0] = k[0];
    o[1] = even + odd;
    o[2] = even - odd;
    even = -1 / 3.0f * (2 * k[0] + k[2]), odd = -2 / 3.0f * HALF_ROOT * k[1];
    o[3] = even + odd;
    o[4] = even - odd;
    o[5] = k[2];
}

INLINE long least(long a, long b) { return a < b ? a : b; }

/* v, its negative values times the slope */
INLINE vec leaky(vec v, float slope) {
    bits positive = v > 0;
    return (vec)(((bits)v & positive) | ((bits)(slope * v) & ~positive));
}

/* y = leaky(the reflected x * kernel + bias). kernels: of kernel_points. work: `work_size` floats. */
void convolve(const job *j, const float *x, const float *kernels, const float *bias, float slope, float *y,
              float *work) {
    long C = j->channels_out, padded = padded_of(C);
    for (long start = j->first; start < j->last; start += j->chunk) {
        long count = start + j->chunk < j->last ? j->chunk : j->last - start;
        to_planes(x, j, j->channels_in, start, count, work, 0, 1, 0, 1);
        products(j, count, kernels, work);
        for (long t = 0; t < count; t++) {
            place at = place_of(start + t, j, 0);
            float *corner = y + ((at.image * j->height + at.top) * j->width + at.left) * C;
            long rows = least(j->height - at.top, PER), columns = least(j->width - at.left, PER);
            OVER_CHANNELS(c, C) {
                vec out[PER][PER], plus = load(bias + c);
                to_pixels(work + t * padded + c, plane_of(j), out);
                for (long i = 0; i < rows; i++)
                    for (long k = 0; k < columns; k++)
                        store(corner + (i * j->width + k) * C + c, leaky(out[i][k] + plus, slope));
            }
        }
    }
}

/* where the gradient of a pixel of the extended image goes: to y, or, from a reflected border, to `border`, which has
   (N, 2, W + 2, C) for the rows and then (N, 2, H, C) for the columns */
INLINE float *place_for(const job *j, long image, long row, long column, float *y, float *border) {
    long H = j->height, W = j->width, C = j->channels_out;
    if (row == -1 || row == H) return border + ((image * 2 + (row > 0)) * (W + 2) + column + 1) * C;
    if (column == -1 || column == W)
        return border + (j->images * 2 * (W + 2) + (image * 2 + (column > 0)) * H + row) * C;
    return y + ((image * H + row) * W + column) * C;
}

/* The gradient of the extended image from g, that of the result: y inside, `border` outside. kernels: turned. */
void spread(const job *j, const float *g, const float *kernels, float *y, float *border, float *work) {
    long C = j->channels_out, H = j->height, W = j->width, padded = padded_of(C);
    for (long start = j->first; start < j->last; start += j->chunk) {
        long count = start + j->chunk < j->last ? j->chunk : j->last - start;
        to_planes(g, j, j->channels_in, start, count, work, 0, 1, 1, 0);
        products(j, count, kernels, work);
        for (long t = 0; t < count; t++) {
            place at = place_of(start + t, j, 1);
            long rows = least(H + 1 - at.top, PER), columns = least(W + 1 - at.left, PER);
            int inside = at.top >= 0 && at.left >= 0 && at.top + PER <= H && at.left + PER <= W;
            OVER_CHANNELS(c, C) {
                vec out[PER][PER];
                to_pixels(work + t * padded + c, plane_of(j), out);
                float *corner = y + ((at.image * H + at.top) * W + at.left) * C + c;
                for (long i = 0; inside && i < PER; i++)
                    for (long k = 0; k < PER; k++) store(corner + (i * W + k) * C, out[i][k]);
                for (long i = 0; !inside && i < rows; i++)
                    for (long k = 0; k < columns; k++)
                        store(place_for(j, at.image, at.top + i, at.left + k, y, border) + c, out[i][k]);
            }
        }
    }
}

/* y += what `border` has for the pixels that were reflected */
void fold(const job *j, float *y, float *border) {
    long H = j->height, W = j->width;
    for (long image = 0; image < j->images; image++)
        for (long row = -1; row <= H; row++)
            for (long column = -1; column <= W; column += row == -1 || row == H || column == W ? 1 : W + 1) {
                const float *from = place_for(j, image, row, column, y, border);
                float *to = place_for(j, image, source_of(row, H, 1), source_of(column, W, 1), y, border);
                for (long c = 0; c < j->channels_out; c++) to[c] += from[c];
            }
}

/* sums (POINTS, C in, padded C out) += what the kernels' points get of x and the gradient g of the result; bias (padded
   C out) += the sum of g. */
void weight_gradients(const job *j, const float *x, const float *g, float *sums, float *bias, float *work) {
    long out = padded_of(j->channels_out);
    float *right = work + POINTS * plane_of(j);
    for (long start = j->first; start < j->last; start += j->chunk) {
        long count = start + j->chunk < j->last ? j->chunk : j->last - start;
        to_planes(x, j, j->channels_in, start, count, work, 0, 1, 0, 1);
        to_planes(g, j, j->channels_out, start, count, right, 1, 0, 0, 0);
        kernel_sums(j, count, work, right, sums, 1);
        for (long t = 0; t < count; t++)
            for (long c = 0; c < out; c += VEC)
                store(bias + c, load(bias + c) + load(right + POINTS * plane_of(j) + t * out + c));
    }
}
