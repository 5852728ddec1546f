/* SPDX-License-Identifier: MIT */

/* What every header of the runtime, and every generated file, rests on.
 */

#ifndef MI_RUNTIME_H
#define MI_RUNTIME_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A generated file refuses to compile with another version than it was generated for. */
#define MI_RUNTIME_VERSION 1

/* How kernels are declared. Defined by the includer if a shared, out-of-line copy is wanted. */
#ifndef MI_KERNEL
#define MI_KERNEL static inline
#endif

/* The arena holds int8 activations at one time and int32 scratch or floats at another, in the same
 * bytes. Under strict aliasing a compiler may assume that pointers to different types never meet,
 * and move a store behind the load that should see it. Bytes (int8_t) are exempt; wider elements
 * of the arena are accessed through these types, which are exempt as well. A compiler without
 * this attribute has to be told not to optimise by type (for example --no_tbaa). */
#if defined(__GNUC__)
#define MI_MAY_ALIAS __attribute__((may_alias))
#else
#define MI_MAY_ALIAS
#endif

typedef int16_t MI_MAY_ALIAS mi_i16;
typedef int32_t MI_MAY_ALIAS mi_i32;
typedef float MI_MAY_ALIAS mi_f32;

#endif
