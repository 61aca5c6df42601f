// A Durable Task Scheduler, workers that scale with its work items, and a job that runs load tests: az deployment group create.
// docs/on-azure.md says how to use it. The registry has to exist, and to hold the image.

@description('The region of all resources. Not every region has the Scheduler.')
param location string = resourceGroup().location

@description('The first part of the names of all resources.')
@minLength(3)
@maxLength(20)
param name string = 'fanout'

@description('The registry of this resource group that holds the image.')
param registryName string

@description('The image in the registry, with its tag.')
param image string = 'fanout:latest'

@description('Consumption bills each action. Dedicated bills capacity units by the hour.')
@allowed(['Consumption', 'Dedicated'])
param sku string = 'Consumption'

@description('Capacity units of a Dedicated scheduler.')
@minValue(1)
@maxValue(3)
param capacityUnits int = 1

@description('The addresses that reach the scheduler.')
param ipAllowlist string[] = ['0.0.0.0/0']

@description('With 0, no worker runs, and none costs, while there is no work.')
@minValue(0)
param minWorkers int = 0

@minValue(1)
@maxValue(100)
param maxWorkers int = 10

@description('The activities that one worker holds at a time.')
@minValue(1)
param activitiesPerWorker int = 200

@description('The orchestrators that one worker holds at a time.')
@minValue(1)
param orchestratorsPerWorker int = 200

@description('The arguments of the job. 4 orchestrations/s are 404 actions/s; a Consumption scheduler does 500. --max-actions bounds what it bills.')
param runArguments string[] = [
  'run'
  '--rate=4/s'
  '--duration=5m'
  '--warmup=30s'
  '--max-actions=200000'
]

var taskHubName = 'default'
var dataContributor = '0ad04412-c4d5-4796-b79c-f76d14c8d402'
var acrPull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'
var connectionString = 'Endpoint=${scheduler.properties.endpoint};Authentication=ManagedIdentity;ClientID=${identity.properties.clientId};TaskHub=${taskHubName}'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
}

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' = {
  name: '${name}-${uniqueString(resourceGroup().id)}'
  location: location
  properties: {
    ipAllowlist: ipAllowlist
    sku: sku == 'Dedicated' ? { name: sku, capacity: capacityUnits } : { name: sku }
  }
}

resource taskHub 'Microsoft.DurableTask/schedulers/taskHubs@2025-11-01' = {
  parent: scheduler
  name: taskHubName
  properties: {}
}

resource useScheduler 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(scheduler.id, identity.id, dataContributor)
  scope: scheduler
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', dataContributor)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' existing = {
  name: registryName
}

resource pullImages 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, identity.id, acrPull)
  scope: registry
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', acrPull)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: name
  location: location
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30
  }
}

resource environment 'Microsoft.App/managedEnvironments@2025-01-01' = {
  name: name
  location: location
  properties: {
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: {
        customerId: logs.properties.customerId
        sharedKey: logs.listKeys().primarySharedKey
      }
    }
  }
}

resource worker 'Microsoft.App/containerApps@2025-01-01' = {
  name: '${name}-worker'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    environmentId: environment.id
    configuration: {
      // No ingress: nothing connects to a worker but the probes.
      registries: [{ server: registry.properties.loginServer, identity: identity.id }]
    }
    template: {
      // --drain-timeout, and 10 s for what comes behind it.
      terminationGracePeriodSeconds: 60
      containers: [
        {
          name: 'worker'
          image: '${registry.properties.loginServer}/${image}'
          args: [
            'worker'
            '--host=0.0.0.0'
            '--port=8080'
            '--log=json'
            '--drain-timeout=50s'
            '--max-concurrent-activities=${activitiesPerWorker}'
            '--max-concurrent-orchestrators=${orchestratorsPerWorker}'
          ]
          env: [{ name: 'DURABLE_TASK_CONNECTION_STRING', value: connectionString }]
          resources: { cpu: json('1'), memory: '2Gi' }
          probes: [
            { type: 'Startup', httpGet: { path: '/health', port: 8080 }, periodSeconds: 1, failureThreshold: 30 }
            { type: 'Liveness', httpGet: { path: '/health', port: 8080 }, periodSeconds: 10, timeoutSeconds: 3 }
            { type: 'Readiness', httpGet: { path: '/ready', port: 8080 }, periodSeconds: 5, timeoutSeconds: 3 }
          ]
        }
      ]
      scale: {
        minReplicas: minWorkers
        maxReplicas: maxWorkers
        // The Scheduler's own scaler: as many workers as its work items fill.
        rules: [
          {
            name: 'activities'
            custom: {
              type: 'azure-durabletask-scheduler'
              identity: identity.id
              metadata: {
                endpoint: scheduler.properties.endpoint
                taskhubName: taskHubName
                workItemType: 'Activity'
                maxConcurrentWorkItemsCount: string(activitiesPerWorker)
              }
            }
          }
          {
            name: 'orchestrations'
            custom: {
              type: 'azure-durabletask-scheduler'
              identity: identity.id
              metadata: {
                endpoint: scheduler.properties.endpoint
                taskhubName: taskHubName
                workItemType: 'Orchestration'
                maxConcurrentWorkItemsCount: string(orchestratorsPerWorker)
              }
            }
          }
        ]
      }
    }
  }
  dependsOn: [taskHub, useScheduler, pullImages]
}

resource run 'Microsoft.App/jobs@2025-01-01' = {
  name: '${name}-run'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    environmentId: environment.id
    configuration: {
      triggerType: 'Manual'
      manualTriggerConfig: { parallelism: 1, replicaCompletionCount: 1 }
      // A run that is repeated sends its load twice.
      replicaRetryLimit: 0
      replicaTimeout: 3600
      registries: [{ server: registry.properties.loginServer, identity: identity.id }]
    }
    template: {
      containers: [
        {
          name: 'run'
          image: '${registry.properties.loginServer}/${image}'
          args: runArguments
          env: [{ name: 'DURABLE_TASK_CONNECTION_STRING', value: connectionString }]
          // The generator needs a core of its own.
          resources: { cpu: json('2'), memory: '4Gi' }
        }
      ]
    }
  }
  dependsOn: [taskHub, useScheduler, pullImages]
}

output endpoint string = scheduler.properties.endpoint
output schedulerName string = scheduler.name
output workerName string = worker.name
output jobName string = run.name
