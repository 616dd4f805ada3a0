/* Terms of the convolution exponential, and their gradients, by Winograd's F(4x4, 5x5); winograd.py has the maths.
   Images are padded with zeros. C in is C out. */

#define PER 4
#define SIZE 5
#include "winograd.h"

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

INLINE void from_points(const vec *p, vec *o) {
    vec sum1 = p[1] + p[2], sum2 = p[3] + p[4], sum3 = p[5] + p[6];
    vec difference1 = p[1] - p[2], difference2 = p[3] - p[4], difference3 = p[5] - p[6];
    o[0] = p[0] + sum1 + sum2 + sum3;
    o[1] = difference1 + 2 * difference2 + 0.5f * difference3;
    o[2] = sum1 + 4 * sum2 + 0.25f * sum3;
    o[3] = difference1 + 8 * difference2 + 0.125f * difference3 + p[7];
}

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

/* y = x + scale * the tiles of products; x may be NULL for zero */
INLINE void add(const float *planes, const job *j, long start, long count, const float *x, float *y, float scale) {
    long channels = j->channels_out, padded = padded_of(channels);
    for (long t = 0; t < count; t++) {
        place at = place_of(start + t, j, 0);
        OVER_CHANNELS(c, channels) {
            vec out[PER][PER];
            to_pixels(planes + t * padded + c, plane_of(j), out);
            UNROLL for (int k = 0; k < PER; k++) UNROLL for (int i = 0; i < PER; i++) {
                long row = at.top + i, column = at.left + k;
                if (row < j->height && column < j->width) {
                    long pixel = ((at.image * j->height + row) * j->width + column) * channels + c;
                    store(y + pixel, (x ? load(x + pixel) : (vec){0}) + scale * out[i][k]);
                }
            }
        }
    }
}

/* y = x + scale * M total. kernels: of kernel_points. work: `work_size` floats. */
void term(const job *j, const float *total, const float *x, float *y, const float *kernels, float scale, float *work) {
    for (long start = j->first; start < j->last; start += j->chunk) {
        long count = start + j->chunk < j->last ? j->chunk : j->last - start;
        to_planes(total, j, j->channels_in, start, count, work, 0, 2, 0, 0);
        products(j, count, kernels, work);
        add(work, j, start, count, x, y, scale);
    }
}

/* gradients (64, C in, padded out) += scale * what the kernels' points get of `total` and the gradient g of M total */
void kernel_gradient(const job *j, const float *total, const float *g, float *gradients, float scale, float *work) {
    float *right = work + POINTS * plane_of(j);
    for (long start = j->first; start < j->last; start += j->chunk) {
        long count = start + j->chunk < j->last ? j->chunk : j->last - start;
        to_planes(total, j, j->channels_in, start, count, work, 0, 2, 0, 0);
        to_planes(g, j, j->channels_out, start, count, right, 1, 0, 0, 0);
        kernel_sums(j, count, work, right, gradients, scale);
    }
}
