// SPDX-License-Identifier: Apache-2.0
//! Entry points under the banner 'Profiling'. mm_profile_print() is in `profile.c`.

use super::arg;
use crate::profile::{PROFILE, table};
use core::ffi::{c_char, c_int};

const PROF_RESET_CPUCLOCK: c_int = 0x01;
const PROF_RESET_KEEPLABEL: c_int = 0x02;

/// mm_tic() - begin an iteration of a measurement
///
/// The function takes the first time stamp of the iteration. The intervals of the previous iteration are added to the
/// statistics.
///
/// Measure point p is the interval from time stamp p to time stamp p + 1, which mm_toc() or mm_toc_label() takes. The
/// overhead of a time stamp is subtracted from each interval; see mm_profile_reset().
///
/// Before the first mm_profile_reset(), the clock is MM_CLK_MONOTONIC, and no overhead is subtracted.
///
/// Errors: none
///
/// Thread safety: MT-Unsafe: the calls of the functions of this header must be serialized
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: before the first reset, the clock is not MM_CLK_REALTIME, and the minimum and the
///   median are right.
#[unsafe(no_mangle)]
pub extern "C" fn mm_tic() {
    PROFILE.tic(|| PROFILE.now());
}

/// mm_toc() - end an interval of a measurement
///
/// The function takes a time stamp, which ends a measure point and begins the next one. An iteration has at most 14
/// points; further calls do nothing. Without a call of mm_tic() since the last reset, the first call takes the first time
/// stamp.
///
/// Errors: none
///
/// Thread safety: MT-Unsafe: the calls of the functions of this header must be serialized
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: as mmlib
#[unsafe(no_mangle)]
pub extern "C" fn mm_toc() {
    PROFILE.toc(|| PROFILE.now());
}

/// mm_toc_label() - end an interval of a measurement, and label it
/// @label:      label of the measure point, of which the first 63 bytes are copied; NULL for none
///
/// The function is mm_toc(). The first label that a point gets is kept until a reset removes it; later ones are ignored.
///
/// Errors: none
///
/// Thread safety: MT-Unsafe: the calls of the functions of this header must be serialized
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: NULL does not crash.
///
/// # Safety
/// `label` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mm_toc_label(label: *const c_char) {
    if let Some(point) = PROFILE.next_unlabelled() {
        // SAFETY: a string, as the caller promised. It is not used after the call.
        if let Some(label) = unsafe { arg::optional_string(label) } {
            point.label.set(label.to_bytes());
        }
    }
    PROFILE.toc(|| PROFILE.now());
}

/// mm_profile_reset() - forget all measurements, and select a clock
/// @reset_flags: a bitwise OR of any of PROF_RESET_CPUCLOCK (MM_CLK_CPU_PROCESS, not MM_CLK_MONOTONIC) and
///              PROF_RESET_KEEPLABEL (the labels are kept); other bits are ignored
///
/// The function measures the overhead of a time stamp on this clock. It is subtracted from each interval, so that an
/// interval without any code is about 0, and may be negative. An iteration in progress is forgotten.
///
/// Errors: none
///
/// Thread safety: MT-Unsafe: the calls of the functions of this header must be serialized
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: the measurement of the overhead does not give labels to the first two points.
#[unsafe(no_mangle)]
pub extern "C" fn mm_profile_reset(reset_flags: c_int) {
    let on_cpu_clock = reset_flags & PROF_RESET_CPUCLOCK != 0;
    let keeps_labels = reset_flags & PROF_RESET_KEEPLABEL != 0;
    PROFILE.reset(on_cpu_clock, keeps_labels, mm_tic, mm_toc);
}

/// mm_profile_get_data() - get a statistic of a measure point
/// @measure_point: number of the point, which begins with 0
/// @type:       exactly one of PROF_CURR, PROF_MIN, PROF_MAX, PROF_MEAN and PROF_MEDIAN
///
/// Return: the statistic in nanoseconds. PROF_CURR is 0 if the current iteration has not reached the point. -1 if
///   @type is invalid, or if no time stamp since the last reset ended this point. -1 may also be a value, because the
///   overhead is subtracted from each interval.
///
/// Errors: none
///
/// Thread safety: MT-Unsafe: the calls of the functions of this header must be serialized
/// Signal safety: not async-signal-safe
/// Cancellation: not a cancellation point
/// Compatibility: differs from mmlib: the statistics include the current iteration; the mean counts the intervals of the
///   point, not the iterations; PROF_CURR is never the difference between time stamps of two iterations; a negative
///   @measure_point is invalid.
#[unsafe(no_mangle)]
pub extern "C" fn mm_profile_get_data(measure_point: c_int, r#type: c_int) -> i64 {
    let point = usize::try_from(measure_point).ok();
    point.zip(table::statistic(r#type)).and_then(|(point, statistic)| PROFILE.data(point, statistic)).unwrap_or(-1)
}
