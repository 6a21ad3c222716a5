//! OTP-style supervisors over ractor.
