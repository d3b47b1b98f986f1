// Command bench measures the webhook function as AWS would run it, side by side with
// the same job written in other ways (folder peers), and prints the tables of
// docs/benchmarks.md. Each contender is a whole process under a Lambda Runtime API;
// all meet the same DynamoDB engine, Secrets Manager and fake Exotel, behind fronts
// that make each call take as long for everyone and note when it came and was answered.
//
// It runs on Linux only, and listens on 127.0.0.1 only. make bench runs all of it.
package main
