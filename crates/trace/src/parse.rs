//! stub
/// x
pub fn parse(_: &str) -> crate::Result<crate::Graph> {
    Err(crate::Error::new(crate::ErrorKind::Parse, "stub"))
}
