//! The error that every layer reports to a user: what is wrong, where in their source, and what
//! to do about it. Faults of our own (a graph that does not verify) use it too, as `Internal`.

use crate::types::{Loc, is_foreign};
use std::fmt;
use std::sync::Arc;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Shapes do not fit the operation or each other.
    Shape,
    /// Element types do not fit.
    DType,
    /// An axis is out of range or repeated.
    Axis,
    /// A value does not fit its purpose (a parameter, an argument, a length).
    Value,
    /// A traced array was used outside its trace, or read while it has no value.
    Trace,
    /// A function was called with, or returned, trees that do not match.
    Tree,
    /// The function cannot be transformed as asked (gradient of an integer, of a vector...).
    Transform,
    /// A backend cannot do what the program needs.
    Backend,
    /// The device or the system failed (no adapter, out of memory).
    Device,
    /// A function of the host that a program called failed.
    Host,
    /// Text that should be a graph is not one.
    Parse,
    /// A file could not be read or written.
    Io,
    /// A fault of this library.
    Internal,
}

/// An error with the user's source location, the operands' origins and a remedy.
///
/// Cheap to clone; `Send + Sync + 'static`.
#[derive(Clone)]
pub struct Error(Arc<Diagnostic>);

#[derive(Clone)]
struct Diagnostic {
    kind: ErrorKind,
    message: String,
    location: Option<Loc>,
    notes: Vec<(String, Option<Loc>)>,
    help: Option<String>,
}

/// Said of operations whose caller is the standard library.
const FOREIGN: &str = "an operation passed as a function, as in `.map(Array::cholesky)`, is called \
                       by the standard library: in a closure it tells its line";

impl Error {
    /// An error without a location yet.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Arc::new(Diagnostic {
            kind,
            message: message.into(),
            location: None,
            notes: Vec::new(),
            help: None,
        }))
    }

    /// Sets where the user wrote what failed, unless it is known already. A line of the standard
    /// library is none of the user's: what called that may still know better.
    pub fn at(mut self, location: Loc) -> Error {
        if self.0.location.is_some() {
            return self;
        }
        let d = Arc::make_mut(&mut self.0);
        if !is_foreign(location) {
            d.location = Some(location);
        } else if !d.notes.iter().any(|(note, _)| note == FOREIGN) {
            d.notes.push((FOREIGN.to_string(), None));
        }
        self
    }

    /// Adds what to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Error {
        Arc::make_mut(&mut self.0).help = Some(help.into());
        self
    }

    /// Adds a fact, with the place it comes from.
    pub fn note(mut self, note: impl Into<String>, location: Option<Loc>) -> Error {
        Arc::make_mut(&mut self.0).notes.push((note.into(), location));
        self
    }

    /// The error as one of the function `name`, whose step refused what was given: the message
    /// begins with the op that refused, in its place stands the name.
    pub(crate) fn of_function(mut self, name: &str) -> Error {
        let message = &self.0.message;
        if let Some((_, rest)) = message.strip_prefix('`').and_then(|m| m.split_once('`')) {
            let message = format!("`{name}`{rest}");
            Arc::make_mut(&mut self.0).message = message;
        }
        self
    }

    /// What kind of error this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The first line: what is wrong.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where in the user's source.
    pub fn location(&self) -> Option<Loc> {
        self.0.location
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let d = &*self.0;
        f.write_str(&d.message)?;
        if let Some(at) = d.location {
            write!(f, "\n  --> {at}")?;
        }
        for (note, at) in &d.notes {
            write!(f, "\n   = {note}")?;
            if let Some(at) = at.filter(|at| !is_foreign(at)) {
                write!(f, " from {at}")?;
            }
        }
        if let Some(help) = &d.help {
            write!(f, "\n   = help: {help}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `main` returning an error prints this: the readable form serves best there too.
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
