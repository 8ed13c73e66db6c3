module tagpin.dev/e2e/node/sandbox

go 1.26.0
