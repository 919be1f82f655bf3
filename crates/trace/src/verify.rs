//! stub
/// x
#[derive(Debug)]
pub struct VerifyError;
impl std::fmt::Display for VerifyError {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}
/// x
pub fn verify(_: &crate::Graph) -> Result<(), VerifyError> {
    Ok(())
}
