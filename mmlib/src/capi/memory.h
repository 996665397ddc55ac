/* The greatest alignment of a type, of which blocks on the stack are multiples. It depends on compiler options. */
#ifdef __BIGGEST_ALIGNMENT__
#define MM_STK_ALIGN __BIGGEST_ALIGNMENT__
#else
#define MM_STK_ALIGN 16
#endif

/* mm_malloca() takes larger blocks, in bytes, from the heap. */
#define MM_STACK_ALLOC_THRESHOLD 2048

/* Conversions without a warning in C++ either. */
#ifdef __cplusplus
#define MM_SIZE_CAST_(size) (static_cast<size_t>(size))
#define MM_ADDRESS_CAST_(pointer) (reinterpret_cast<uintptr_t>(pointer))
#define MM_POINTER_CAST_(address) (reinterpret_cast<void *>(address))
#define MM_NULL_POINTER_ (static_cast<void *>(0))
#else
#define MM_SIZE_CAST_(size) ((size_t)(size))
#define MM_ADDRESS_CAST_(pointer) ((uintptr_t)(pointer))
#define MM_POINTER_CAST_(address) ((void *)(address))
#define MM_NULL_POINTER_ ((void *)0)
#endif

/*
 * mm_aligned_alloca(alignment, size): allocate memory on the stack at a multiple of alignment, as alloca() does. It is
 * released when the calling function returns. The result is NULL if alignment is not a power of two. Neither the size nor
 * the space on the stack is checked. The arguments are evaluated several times.
 */
#define mm_aligned_alloca(alignment, size)                                                                   \
	(MM_SIZE_CAST_(alignment) == 0 || !MM_IS_POW2(MM_SIZE_CAST_(alignment))                              \
	         ? MM_NULL_POINTER_                                                                          \
	         : MM_POINTER_CAST_((MM_ADDRESS_CAST_(alloca(MM_SIZE_CAST_(size) + MM_SIZE_CAST_(alignment) - 1)) \
	                             + MM_SIZE_CAST_(alignment) - 1)                                         \
	                            & ~(MM_SIZE_CAST_(alignment) - 1)))

/*
 * mm_malloca(size): allocate memory on the stack, or on the heap if size is more than MM_STACK_ALLOC_THRESHOLD. The
 * calling function releases it with mm_freea() before it returns. The result is NULL, with ENOMEM in the error state, if
 * there is not enough memory on the heap. The argument is evaluated several times.
 */
#define mm_malloca(size)                                                                                     \
	(MM_SIZE_CAST_(size) > MM_STACK_ALLOC_THRESHOLD ? _mm_malloca_on_heap(MM_SIZE_CAST_(size))           \
	                                                : mm_aligned_alloca(2 * MM_STK_ALIGN, size))

/**
 * _mm_malloca_on_heap() - allocate memory for the macro mm_malloca()
 * @size:       size of the block in bytes
 *
 * Only mm_malloca() calls this, for blocks of more than MM_STACK_ALLOC_THRESHOLD bytes. The address is MM_STK_ALIGN
 * bytes after a multiple of 2 * MM_STK_ALIGN, by which mm_freea() distinguishes the block from one on the stack. The
 * library uses the MM_STK_ALIGN of the compiler's default options, or 16 if that is less: a program that is compiled
 * with options for longer vectors, such as -mavx, gets blocks that are not aligned for these.
 *
 * Return: the block, to be released with mm_freea(); NULL on failure, and the error state is set.
 *
 * Errors:
 *   ENOMEM           not enough memory
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
MMLIB_API void *_mm_malloca_on_heap(size_t size);

/**
 * _mm_freea_on_heap() - release memory of _mm_malloca_on_heap()
 * @ptr:        block to release; NULL is accepted and does nothing
 *
 * Only mm_freea() calls this.
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: differs from mmlib: NULL does not crash.
 */
MMLIB_API void _mm_freea_on_heap(void *ptr);

/**
 * mm_freea() - release memory of mm_malloca()
 * @ptr:        block to release; NULL is accepted and does nothing
 *
 * The function that called mm_malloca() calls this before it returns. Only blocks on the heap have an address that is not
 * a multiple of 2 * MM_STK_ALIGN; for others, nothing happens.
 *
 * Errors: none
 *
 * Thread safety: MT-Safe
 * Signal safety: not async-signal-safe
 * Cancellation: not a cancellation point
 * Compatibility: as mmlib
 */
static inline void mm_freea(void *ptr)
{
	if (MM_ADDRESS_CAST_(ptr) & (2 * MM_STK_ALIGN - 1))
		_mm_freea_on_heap(ptr);
}
