// SPDX-License-Identifier: Apache-2.0
//! Initialisation when the library is loaded.

use crate::error::log;
use crate::os::{fork, local_time, readable};

/// Runs before main() if the program is linked with the library.
// SAFETY: the section contains pointers to functions that the loader calls. Their arguments are ignored.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = {
    #[cold]
    extern "C" fn at_load() {
        // This must run before the first fork, so that all processes have the page that distinguishes them.
        fork::prepare();
        log::max_level();
        local_time::watch_forks();
        readable::find_variables();
    }
    at_load
};
