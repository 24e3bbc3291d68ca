package main

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/cert-manager/cert-manager/internal/apis/config/webhook/validation"
	"github.com/cert-manager/cert-manager/internal/webhook"
	"github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/webhook/options"
)

// runWebhook serves admission reviews; its flags are upstream's own.
func runWebhook(ctx context.Context, flags *pflag.FlagSet, words []string) error {
	config, err := options.NewWebhookConfiguration()
	if err != nil {
		return err
	}
	options.AddConfigFlags(flags, config)
	if err := flags.Parse(words); err != nil {
		return err
	}
	if err := validation.ValidateWebhookConfiguration(config, nil).ToAggregate(); err != nil {
		return err
	}
	if err := logs.ValidateAndApply(&config.Logging); err != nil {
		return err
	}
	server, err := webhook.NewCertManagerWebhookServer(logs.FromContext(ctx), *config)
	if err != nil {
		return err
	}
	return server.Run(ctx)
}
