# Everything here runs on a fresh machine: each target first installs what it
# needs (scripts/setup.sh) and says so.
SHELL := bash
# CDK still runs on Node 20, and says at each start that it will not for long.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export CDK_DISABLE_CLI_TELEMETRY := 1
# Binaries carry no revision: a function whose code did not change is not deployed
# again, and a checkout that git does not trust still builds.
export GOFLAGS := -buildvcs=false

BOOTSTRAPS := $(patsubst functions/%/lambda,dist/%/bootstrap,$(wildcard functions/*/lambda))
CDK := scripts/node_modules/.bin/cdk
# The context of a deployment, the same each time; stage and region say which it is:
# make deploy CONTEXT="-c stage=prod -c region=eu-west-1 -c alarmEmail=ops@example.com"
CONTEXT ?=
# What infra makes, as its tests hold it. What CloudFront needs is in us-east-1.
TEMPLATES := $(wildcard infra/stack/testdata/*.template.json)
EDGE := $(filter %-edge.template.json,$(TEMPLATES))
# $(call cfn-lint,TEMPLATES,REGION), nothing without any.
cfn-lint = $(if $(1),.local/cfnlint/bin/cfn-lint --config-file scripts/cfnlint.yaml --regions $(2) -t $(1))

# make destroy YES_DELETE=pulssi-dev destroys without a question, answers or not.
YES_DELETE ?=

.PHONY: help setup dev test lint bench web build synth rehearse deploy destroy clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: ## install what is missing for all targets
	@scripts/setup.sh

dev: ## run the whole product on this machine, at http://localhost:8080 (PORT)
	@scripts/setup.sh node dynamodb
	@mkdir -p .local/bin && go build -o .local/bin/dev ./scripts/dev && exec .local/bin/dev

test: ## run all tests
	@scripts/setup.sh node dynamodb moto ministack chromium
	@scripts/node_modules/.bin/tsc -p scripts/tsconfig.json
	@go run ./scripts/withdynamodb go test -timeout 20m ./...

lint: ## check form, types, dependencies, licences, templates and the usual mistakes
	@scripts/setup.sh node lint moto ministack cfnlint
	go mod tidy -diff
	go vet ./...
	.local/bin/golangci-lint run
	scripts/node_modules/.bin/tsc -p scripts/tsconfig.json
	go run ./scripts/web -check
	go run ./scripts/licences -check
	go test -run 'TestCheck|TestTemplates' ./infra/stack # cdk-nag, and the templates as they were looked at
	$(call cfn-lint,$(filter-out $(EDGE),$(TEMPLATES)),eu-north-1)
	$(call cfn-lint,$(EDGE),us-east-1)

bench: ## measure speed, size and cost beside their baselines
	@scripts/setup.sh node dynamodb chromium
	@mkdir -p .local/bin && go build -o .local/bin/bench ./scripts/bench && .local/bin/bench $(BENCH)

web: ## build the scripts and styles of the pages into shared/web/dist
	@scripts/setup.sh go
	@go run ./scripts/web

build: installed-go $(BOOTSTRAPS) ## compile the functions as they are deployed, into dist

.PHONY: installed-go
installed-go:
	@scripts/setup.sh go

# Always run: go itself knows what has changed.
.PHONY: $(BOOTSTRAPS)
$(BOOTSTRAPS): dist/%/bootstrap: installed-go
	@GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -trimpath -tags lambda.norpc -ldflags "-s -w -buildid=" -o $@ ./functions/$*/lambda

synth: build ## write the CloudFormation templates into cdk.out; needs no AWS account
	@scripts/setup.sh node
	@$(CDK) synth --quiet $(CONTEXT) && ls cdk.out/*.template.json

rehearse: build ## deploy into an imitation of AWS, use it, and remove it again
	@scripts/setup.sh node ministack
	@mkdir -p .local/bin && go build -o .local/bin/rehearse ./scripts/rehearse && .local/bin/rehearse

# What is checked is what is deployed: the assembly in cdk.out.
deploy: build ## deploy into the AWS account of your credentials (CONTEXT)
	@scripts/setup.sh node
	@$(CDK) synth --quiet $(CONTEXT)
	@go run ./scripts/preflight
	@$(CDK) deploy --all --app cdk.out

destroy: build ## delete a deployment, but tables, buckets, asks secret and SES identity (CONTEXT)
	@scripts/setup.sh node
	@$(CDK) synth --quiet $(CONTEXT)
	@go run ./scripts/preflight -destroy $(if $(YES_DELETE),-yes-delete $(YES_DELETE))
	@$(CDK) destroy --all --app cdk.out $(if $(YES_DELETE),--force)

clean: ## remove what was built, and the data and tools in .local
	rm -rf dist cdk.out .local scripts/node_modules
