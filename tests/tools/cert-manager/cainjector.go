package main

import (
	"context"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubescheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metrics "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	config "github.com/cert-manager/cert-manager/internal/apis/config/cainjector"
	configscheme "github.com/cert-manager/cert-manager/internal/apis/config/cainjector/scheme"
	"github.com/cert-manager/cert-manager/internal/apis/config/cainjector/validation"
	versions "github.com/cert-manager/cert-manager/pkg/apis/config/cainjector/v1alpha1"
	cmscheme "github.com/cert-manager/cert-manager/pkg/client/clientset/versioned/scheme"
	"github.com/cert-manager/cert-manager/pkg/controller/cainjector"
	"github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/util"
)

// runInjector writes CA bundles where annotations ask for them, as long as it is the leader.
func runInjector(ctx context.Context, flags *pflag.FlagSet, words []string) error {
	settings, err := injectorSettings(flags, words)
	if err != nil {
		return err
	}
	restConfig, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	manager, err := injectorManager(util.RestConfigWithUserAgent(restConfig, "cainjector"), settings)
	if err != nil {
		return err
	}
	targets := settings.EnableInjectableConfig
	err = cainjector.RegisterAllInjectors(ctx, manager, cainjector.SetupOptions{
		Namespace:                    settings.Namespace,
		IgnoreNamespaces:             settings.IgnoreNamespaces,
		EnableCertificatesDataSource: settings.EnableDataSourceConfig.Certificates,
		EnabledReconcilersFor: map[string]bool{
			cainjector.MutatingWebhookConfigurationName:   targets.MutatingWebhookConfigurations,
			cainjector.ValidatingWebhookConfigurationName: targets.ValidatingWebhookConfigurations,
			cainjector.APIServiceName:                     targets.APIServices,
			cainjector.CustomResourceDefinitionName:       targets.CustomResourceDefinitions,
		},
	})
	if err != nil {
		return err
	}
	return manager.Start(ctx)
}

func injectorSettings(flags *pflag.FlagSet, words []string) (*config.CAInjectorConfiguration, error) {
	scheme, _, err := configscheme.NewSchemeAndCodecs()
	if err != nil {
		return nil, err
	}
	versioned, settings := &versions.CAInjectorConfiguration{}, &config.CAInjectorConfiguration{}
	scheme.Default(versioned)
	if err := scheme.Convert(versioned, settings, nil); err != nil {
		return nil, err
	}
	election := &settings.LeaderElectionConfig
	flags.StringVar(&election.Namespace, "leader-election-namespace", election.Namespace, "where the Lease is")
	logs.AddFlags(&settings.Logging, flags)
	if err := flags.Parse(words); err != nil {
		return nil, err
	}
	if err := validation.ValidateCAInjectorConfiguration(settings, nil).ToAggregate(); err != nil {
		return nil, err
	}
	return settings, logs.ValidateAndApply(&settings.Logging)
}

func injectorManager(restConfig *rest.Config, settings *config.CAInjectorConfiguration) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		kubescheme.AddToScheme, cmscheme.AddToScheme, apiextensions.AddToScheme, apiregistration.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	election := settings.LeaderElectionConfig
	return ctrl.NewManager(restConfig, ctrl.Options{
		Scheme: scheme,
		// Its rights are for these: a kind that nobody watches is not to be read, and Secrets are read one by one.
		Cache: cache.Options{ReaderFailOnMissingInformer: true},
		Client: client.Options{
			Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}}},
		},
		LeaderElection:                election.Enabled,
		LeaderElectionNamespace:       election.Namespace,
		LeaderElectionID:              "cert-manager-cainjector-leader-election",
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &election.LeaseDuration,
		RenewDeadline:                 &election.RenewDeadline,
		RetryPeriod:                   &election.RetryPeriod,
		Metrics:                       metrics.Options{BindAddress: settings.MetricsListenAddress},
	})
}
