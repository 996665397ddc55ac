// SPDX-License-Identifier: Apache-2.0
//! What argparse.c calls. mmargparse.h, which is maintained by hand, documents the functions of the parser.

#![allow(missing_docs, reason = "mmargparse.h documents the functions")]

use super::arg;
use crate::argparse::candidates;
use crate::argparse::parse::{Action, Files, Parse, Phase};
use crate::error::Error;
use crate::rt::text::Quoted;
use crate::sys::env;
use crate::sys::options::{Opt, Parser, mm_arg_opt, mm_arg_parser, mm_arg_val};
use core::ffi::{CStr, c_char, c_int};
use core::sync::atomic::{AtomicI32, Ordering};

/// The state of a parse. C declares the same structure.
#[repr(C)]
pub struct State {
    parser: *const mm_arg_parser,
    argv: *const *const c_char,
    argc: c_int,
    index: c_int,
    letter: c_int,
    phase: c_int,
    result: c_int,
    state: c_int,
    option: *const mm_arg_opt,
    value: mm_arg_val,
}

// The values of `State::phase`: what C has been asked for.
const START: c_int = 0;
const CALL_WITH_VALUE: c_int = 1;
const CALL_TO_COMPLETE: c_int = 2;

// What C does next.
const DONE: c_int = 0;
const CALL: c_int = 1;
const COMPLETE_PATH: c_int = 2;

const MM_ARG_OPT_COMPLETION: c_int = 1;

const MM_DT_DIR: c_int = 0x10;
const MM_DT_REG: c_int = 0x20;

/// Continues a parse until C must do something, which it returns.
///
/// # Safety
/// The state is that of a parse in argparse.c, with a parser that is valid as mmargparse.h requires it, and `argc` strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mmlib_parse_step(state: *mut State) -> c_int {
    // SAFETY: valid, and used by nobody else, as the caller promised.
    let state = unsafe { &mut *state };
    let (argv, number) = (state.argv, |number: c_int| usize::try_from(number).unwrap_or(0));
    // SAFETY: as promised by the caller. The option is one of the parser, or the built-in one; the text is an argument.
    let (parser, phase) = unsafe {
        let phase = match state.phase {
            START => Phase::Start,
            CALL_WITH_VALUE => Phase::CalledWithValue(Opt::from_c(&*state.option), state.value, state.result),
            CALL_TO_COMPLETE => {
                Phase::CalledToComplete(Opt::from_c(&*state.option), CStr::from_ptr(state.value.str), state.result)
            }
            _ => Phase::CompletedPath,
        };
        (Parser::from_c(&*state.parser), phase)
    };
    let mut parse = Parse {
        parser,
        // SAFETY: the parse asks only for the first `count` arguments, which are strings.
        argument: |index| unsafe { arg::optional_string(argv.add(index).read()) },
        count: number(state.argc),
        index: number(state.index),
        letter: number(state.letter),
    };
    let action = parse.step(phase);
    (state.index, state.letter) = (parse.index as c_int, parse.letter as c_int);
    match action {
        Action::Done(code) => {
            state.result = code;
            DONE
        }
        Action::CallWithValue(option, value) => {
            (state.phase, state.state, state.option, state.value) = (CALL_WITH_VALUE, 0, option.as_ptr(), value);
            CALL
        }
        Action::CallToComplete(option, text) => {
            state.value = mm_arg_val::of_text(text);
            (state.phase, state.state, state.option) = (CALL_TO_COMPLETE, MM_ARG_OPT_COMPLETION, option.as_ptr());
            CALL
        }
        Action::CompletePath(text, files) => {
            state.value = mm_arg_val::of_text(text);
            state.phase = COMPLETE_PATH + 1;
            state.result = if matches!(files, Files::All) { MM_DT_REG | MM_DT_DIR } else { MM_DT_DIR };
            COMPLETE_PATH
        }
    }
}

/// Prints the candidates for a word. Returns 0 or a negative code.
///
/// # Safety
/// The parser is valid as mmargparse.h requires it; `word` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mmlib_print_candidates(parser: *const mm_arg_parser, word: *const c_char) -> c_int {
    // SAFETY: as promised by the caller.
    unsafe { candidates::print_candidates(Parser::from_c(&*parser), arg::optional_string(word)) }
}

/// Raises the error of mm_arg_complete_path() for a lack of memory. The path is quoted, since it is the user's.
///
/// # Safety
/// `path` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mmlib_path_not_completed(path: *const c_char) {
    // SAFETY: a string, as the caller promised.
    let path = Quoted(unsafe { arg::optional_string(path) }.unwrap_or_default().to_bytes());
    let error = Error::new(libc::ENOMEM, format_args!("cannot complete path {path}: out of memory"));
    error.raise(c"mm_arg_complete_path");
}

#[unsafe(no_mangle)]
pub extern "C" fn mm_arg_is_completing() -> c_int {
    const UNKNOWN: c_int = -1;
    static IS_COMPLETING: AtomicI32 = AtomicI32::new(UNKNOWN);
    let known = IS_COMPLETING.load(Ordering::Relaxed);
    if known != UNKNOWN {
        return known;
    }
    let is_set = env::getenv(c"MMLIB_CMD_COMPLETION", |value| value.is_some()).into();
    // Another thread may have answered first.
    match IS_COMPLETING.compare_exchange(UNKNOWN, is_set, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => is_set,
        Err(answer) => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" {
        static mmlib_parse_size: usize;
    }

    #[test]
    fn the_state_has_the_same_size_in_c() {
        // SAFETY: a constant.
        assert_eq!(unsafe { mmlib_parse_size }, size_of::<State>());
    }
}
