// SPDX-License-Identifier: Apache-2.0
//! The walk over the arguments.

use super::convert::convert;
use super::help::write_help;
use super::name::{Name, looks_like_option, split};
use super::{
    MM_ARGPARSE_COMPLETE, MM_ARGPARSE_ERROR, MM_ARGPARSE_STOP, candidates, find_key, find_long, is_valid, print,
    print_error, print_usage_hint,
};
use crate::sys::number::strerror;
use crate::sys::options::{MM_OPT_DIRPATH, MM_OPT_FILEPATH, Opt, Parser, Requirement, mm_arg_val};
use crate::sys::stdio::{Stream, fwrite};
use core::ffi::{CStr, c_int};
use errno::{Errno, set_errno};

/// What C must do before it continues the parse.
pub enum Action<'a> {
    /// Return the code, or end the process as it says.
    Done(c_int),
    /// Call the function of the program with the value of an option.
    CallWithValue(Opt<'a>, mm_arg_val),
    /// Call the function of the program to complete the text for an option.
    CallToComplete(Opt<'a>, &'a CStr),
    /// Print the paths of files, or only of directories, that complete the text.
    CompletePath(&'a CStr, Files),
}

#[derive(Clone, Copy)]
pub enum Files {
    All,
    Directories,
}

/// Where the parse is.
#[derive(Clone, Copy)]
pub enum Phase<'a> {
    /// The names of the options have not been checked.
    Start,
    /// The program has been called with a value, and has returned the result.
    CalledWithValue(Opt<'a>, mm_arg_val, c_int),
    /// The program has been called to complete a text, and has returned the result.
    CalledToComplete(Opt<'a>, &'a CStr, c_int),
    /// The paths have been printed.
    CompletedPath,
}

pub struct Parse<'a, A> {
    pub parser: Parser<'a>,
    /// Returns an argument.
    pub argument: A,
    pub count: usize,
    /// The next argument.
    pub index: usize,
    /// The position of the next letter in a cluster of short options, or 0.
    pub letter: usize,
}

/// A negative code ends the parse.
type Step<'a> = Result<Option<Action<'a>>, c_int>;

impl<'a, A: Fn(usize) -> Option<&'a CStr>> Parse<'a, A> {
    /// Continues the parse until C must do something.
    pub fn step(&mut self, phase: Phase<'a>) -> Action<'a> {
        let mut outcome = match phase {
            Phase::Start if is_valid(self.parser) => Ok(None),
            Phase::Start => Err(MM_ARGPARSE_ERROR),
            Phase::CalledWithValue(_, _, code) if code < 0 => Err(code),
            Phase::CalledWithValue(option, value, _) => {
                option.store(value);
                Ok(None)
            }
            Phase::CalledToComplete(option, text, 0) => complete_value(option, text),
            Phase::CalledToComplete(..) | Phase::CompletedPath => Err(MM_ARGPARSE_COMPLETE),
        };
        loop {
            match outcome {
                Ok(None) => outcome = self.next(),
                Ok(Some(action)) => return action,
                Err(code) => {
                    if code == MM_ARGPARSE_ERROR {
                        print_usage_hint();
                    }
                    return Action::Done(code);
                }
            }
        }
    }

    fn argument(&self, index: usize) -> Option<&'a CStr> {
        if index < self.count { (self.argument)(index) } else { None }
    }

    /// Whether the argument is the word that the user completes.
    fn is_word(&self, index: usize) -> bool {
        self.parser.is_completing() && index + 1 == self.count
    }

    /// Handles the next argument, or the next letter of a cluster.
    fn next(&mut self) -> Step<'a> {
        let Some(argument) = self.argument(self.index) else { return stop(self.index.min(self.count)) };
        let is_word = self.is_word(self.index);
        match argument.to_bytes() {
            [b'-', letters @ ..] if self.letter > 0 => self.short(letters),
            b"-" if is_word => {
                candidates::print_all(self.parser);
                Err(MM_ARGPARSE_COMPLETE)
            }
            b"--" if !is_word => stop(self.index + 1),
            [b'-', b'-', option @ ..] => self.long(argument, option, is_word),
            [b'-', letters @ ..] if letters.first().is_some_and(u8::is_ascii_alphabetic) => {
                if is_word {
                    candidates::print_cluster(self.parser, letters);
                    return Err(MM_ARGPARSE_COMPLETE);
                }
                self.letter = 1;
                Ok(None)
            }
            _ => stop(self.index),
        }
    }

    /// The value of a short option is the next argument. Only the last option of a cluster has one.
    fn short(&mut self, letters: &[u8]) -> Step<'a> {
        let Some(letter) = letters.get(self.letter - 1) else { return Err(MM_ARGPARSE_ERROR) };
        let Some(option) = find_key(self.parser, *letter) else {
            print_error(&[b"Unsupported option -", &[*letter]]);
            return Err(MM_ARGPARSE_ERROR);
        };
        self.letter += 1;
        if self.letter <= letters.len() {
            return self.process(option, None);
        }
        self.letter = 0;
        self.index += 1;
        let has_value = option.requirement() != Requirement::Forbidden;
        let value = self.argument(self.index).filter(|next| has_value && !looks_like_option(next.to_bytes()));
        match value {
            Some(text) if self.is_word(self.index) => self.complete(option, text),
            Some(_) => {
                self.index += 1;
                self.process(option, value)
            }
            None => self.process(option, None),
        }
    }

    /// The value of a long option follows its first `=`.
    fn long(&mut self, argument: &'a CStr, option: &[u8], is_word: bool) -> Step<'a> {
        let (name, has_value) = split(option);
        // After the dashes, the name and the `=`.
        let value = if has_value { tail(argument, 2 + name.len() + 1) } else { None };
        let found = find_long(self.parser, name);
        if is_word {
            return match (found, value) {
                (Some(option), Some(text)) => self.complete(option, text),
                (None, Some(_)) => Err(MM_ARGPARSE_COMPLETE),
                (_, None) => {
                    candidates::print_long(self.parser, name);
                    Err(MM_ARGPARSE_COMPLETE)
                }
            };
        }
        let Some(option) = found else {
            print_error(&[b"Unsupported option --", name]);
            return Err(MM_ARGPARSE_ERROR);
        };
        self.index += 1;
        self.process(option, value)
    }

    /// Handles an option with its value.
    fn process(&self, option: Opt<'a>, given: Option<&'a CStr>) -> Step<'a> {
        if option.is_help() {
            if self.parser.is_completing() {
                return Ok(None);
            }
            write_help(self.parser, &mut |part| fwrite(Stream::Output, part));
            return Err(MM_ARGPARSE_STOP);
        }
        match (option.requirement(), given) {
            (Requirement::Forbidden, Some(_)) => return invalid(option, &[b" does not accept any value."]),
            (Requirement::Needed, None) => return invalid(option, &[b" needs value."]),
            _ => {}
        }
        let text = given.or(option.default_value());
        let value = match convert(text, option.value_type()) {
            Ok(value) => value,
            Err(number) => return not_converted(option, text, number),
        };
        if self.parser.has_callback() {
            return Ok(Some(Action::CallWithValue(option, value)));
        }
        option.store(value);
        Ok(None)
    }

    fn complete(&self, option: Opt<'a>, text: &'a CStr) -> Step<'a> {
        if self.parser.has_callback() {
            return Ok(Some(Action::CallToComplete(option, text)));
        }
        complete_value(option, text)
    }
}

fn stop<'a>(index: usize) -> Step<'a> {
    Ok(Some(Action::Done(c_int::try_from(index).unwrap_or(c_int::MAX))))
}

/// Completes a value by the kind of the option. The text completes itself if the option has no paths.
fn complete_value<'a>(option: Opt, text: &'a CStr) -> Step<'a> {
    let files = match option.flags() {
        flags if flags & MM_OPT_FILEPATH != 0 => Files::All,
        flags if flags & MM_OPT_DIRPATH != 0 => Files::Directories,
        _ => {
            print(Stream::Output, &[text.to_bytes()]);
            return Err(MM_ARGPARSE_COMPLETE);
        }
    };
    Ok(Some(Action::CompletePath(text, files)))
}

fn invalid<'a>(option: Opt, message: &[&[u8]]) -> Step<'a> {
    let Name { key, long } = Name::of(option.name());
    let key = key.map(|key| [b'-', key]);
    let parts: [&[u8]; 4] = [
        b"Option ",
        key.as_ref().map_or(b"", |key| key.as_slice()),
        if key.is_some() && long.is_some() { b"|" } else { b"" },
        if long.is_some() { b"--" } else { b"" },
    ];
    parts.iter().chain([&long.unwrap_or_default()]).for_each(|part| fwrite(Stream::Error, part));
    print_error(message);
    Err(MM_ARGPARSE_ERROR)
}

/// errno keeps the reason.
fn not_converted<'a>(option: Opt, text: Option<&CStr>, number: c_int) -> Step<'a> {
    let kind = option.value_type().name().as_bytes();
    let shown = text.unwrap_or(c"(null)").to_bytes();
    set_errno(Errno(number));
    strerror(number, |reason| {
        invalid(
            option,
            &[b" accepting ", kind, b" value type has received an invalid value \"", shown, b"\" (", reason, b")"],
        )
    })
}

/// The string that begins at a position of another.
fn tail(text: &CStr, start: usize) -> Option<&CStr> {
    CStr::from_bytes_with_nul(text.to_bytes_with_nul().get(start..)?).ok()
}
