module github.com/trunkhook/trunkhook

go 1.26.0
