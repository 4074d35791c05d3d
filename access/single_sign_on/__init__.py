"""Single sign-on by OpenID Connect: authorization-code flow with PKCE, one provider, accounts bound by hand."""
