//! Library calls: the templates of `kernels/wgsl` with their constants filled in.

use super::{Emitter, Step};
use probpipe_lowering::Library;
use probpipe_trace::{Error, ErrorKind, Result};

impl Emitter<'_> {
    pub(super) fn library(&mut self, library: &Library, _steps: &mut Vec<Step>) -> Result<()> {
        Err(Error::new(ErrorKind::Backend, "linear algebra is not there").at(library.location))
    }
}
