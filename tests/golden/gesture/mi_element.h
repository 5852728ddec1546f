/* SPDX-License-Identifier: MIT */

/* Elements of a type that is a parameter. Kernels pass a constant, and the switch goes away.
 */

#ifndef MI_ELEMENT_H
#define MI_ELEMENT_H

#include "mi_runtime.h"

/* Element types, numbered as in the .tflite schema. */
enum { MI_TYPE_INT32 = 2, MI_TYPE_UINT8 = 3, MI_TYPE_INT16 = 7, MI_TYPE_INT8 = 9 };

/* data[i] */
static inline int32_t mi_load(const void *data, int32_t type, int32_t i)
{
    switch (type) {
    case MI_TYPE_INT32:
        return ((const mi_i32 *)data)[i];
    case MI_TYPE_INT16:
        return ((const mi_i16 *)data)[i];
    case MI_TYPE_UINT8:
        return ((const uint8_t *)data)[i];
    default:
        return ((const int8_t *)data)[i];
    }
}

/* data[i] = value, which the type can hold. */
static inline void mi_store(void *data, int32_t type, int32_t i, int32_t value)
{
    switch (type) {
    case MI_TYPE_INT32:
        ((mi_i32 *)data)[i] = value;
        break;
    case MI_TYPE_INT16:
        ((mi_i16 *)data)[i] = (int16_t)value;
        break;
    case MI_TYPE_UINT8:
        ((uint8_t *)data)[i] = (uint8_t)value;
        break;
    default:
        ((int8_t *)data)[i] = (int8_t)value;
        break;
    }
}

#endif
