// SPDX-License-Identifier: Apache-2.0
//! Passes the directory of libmmsysio to the linker, if it is not installed.

fn main() {
    println!("cargo:rerun-if-env-changed=MMSYSIO_LIBDIR");
    if let Ok(directory) = std::env::var("MMSYSIO_LIBDIR") {
        println!("cargo:rustc-link-search=native={directory}");
    }
}
