// SPDX-License-Identifier: Apache-2.0
//! What happens when the library is loaded.

use crate::error::log;
use crate::os::{fork, local_time, readable};

/// Runs before main in a linked program.
// SAFETY: the section holds pointers to functions that the loader calls; what they are called with is ignored here.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = {
    #[cold]
    extern "C" fn at_load() {
        // Before there are threads, and before any fork: the page that distinguishes processes then exists in all of them.
        fork::prepare();
        log::max_level();
        local_time::watch_forks();
        readable::find_variables();
    }
    at_load
};
