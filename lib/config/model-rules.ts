import { type Partition, partitionOf } from '../identity/index.ts';
import { isGlobalProfile } from '../policy/index.ts';
import type { TenantConfig } from './config.ts';
import { fault, faultOf, type RuleFault } from './faults.ts';
import { checkRepeats } from './list-rules.ts';

/**
 * <provider>.<model>, as in `amazon.nova-lite-v1:0`
 * @see Amazon Bedrock API Reference, InvokeModel, modelId
 */
const MODEL_ID = /^[a-z0-9][a-z0-9-]*\.[a-z0-9][a-z0-9.:_-]*$/;
/** <geography>.<provider>.<model>, as in `us.amazon.nova-lite-v1:0` */
const PROFILE_ID = /^[a-z-]+\.[a-z0-9][a-z0-9-]*\.[a-z0-9][a-z0-9.:_-]*$/;
/**
 * How the ids of system-defined inference profiles begin: `us`, `eu`, `jp`, `us-gov`, `apac`, `global`.
 * @see Amazon Bedrock User Guide, "Supported Regions and models for inference profiles"
 */
const GEOGRAPHY = /^(?:[a-z]{2}(?:-gov)?|apac|amer|emea|latam|global)\./;

/** The rules on the ids of models and inference profiles and on the Regions of profiles. */
export function checkModels(
  tenant: Pick<TenantConfig, 'models' | 'inferenceProfiles'>,
  partition: Partition | undefined,
): readonly RuleFault[] {
  return [
    ...tenant.models.flatMap((id, index) => checkModel(id, index)),
    ...checkRepeats(['models'], tenant.models, 'model'),
    ...Object.entries(tenant.inferenceProfiles).flatMap(([id, regions]) => [
      ...checkProfile(id),
      ...checkRegions(id, regions, partition),
    ]),
  ];
}

function checkModel(id: string, index: number): readonly RuleFault[] {
  const path = ['models', index];
  const rule = 'model id must have the form <provider>.<model>';
  if (id.startsWith('arn:')) return [fault(path, id, rule, 'write the id, which is the end of the ARN')];
  if (GEOGRAPHY.test(id)) {
    const fix = isGlobalProfile(id)
      ? 'it is an inference profile, move it to inferenceProfiles with an empty list'
      : 'it is an inference profile, move it to inferenceProfiles with the Regions that it routes to';
    return [fault(path, id, rule, fix)];
  }
  return MODEL_ID.test(id) ? [] : [fault(path, id, rule, formFix(id))];
}

function checkProfile(id: string): readonly RuleFault[] {
  const path = ['inferenceProfiles', id];
  const rule = 'inference profile id must have the form <geography>.<provider>.<model>';
  const refuse = (fix: string) => [fault(path, id, rule, fix, { isKey: true })];
  if (id.startsWith('arn:')) return refuse('write the id, which is the end of the ARN');
  if (GEOGRAPHY.test(id) && PROFILE_ID.test(id)) return [];
  if (MODEL_ID.test(id) && !GEOGRAPHY.test(id)) {
    return refuse('it is a model id, move it to models, or put the geography of its profile before it, as in us.');
  }
  return refuse(formFix(id));
}

function formFix(id: string): string {
  return /[*?]/.test(id)
    ? 'list each by itself, without a wildcard'
    : 'copy it from the Bedrock console or from aws bedrock list-foundation-models and list-inference-profiles';
}

function checkRegions(id: string, regions: readonly string[], partition: Partition | undefined): readonly RuleFault[] {
  const path = ['inferenceProfiles', id];
  if (isGlobalProfile(id)) {
    if (regions.length === 0) return [];
    const rule = 'a global profile must have an empty list, since AWS chooses where it routes to';
    return [fault(path, regions, rule, 'write []')];
  }
  if (regions.length === 0) {
    const fix = 'copy them from the page of the profile, or from aws bedrock get-inference-profile';
    return [fault(path, regions, 'a profile must list the Regions that it routes to', fix)];
  }
  return [
    ...regions.flatMap((region, index) => {
      const where = [...path, index];
      const invalid = faultOf(where, region, () => partitionOf(region));
      if (invalid.length > 0 || partition === undefined || partitionOf(region) === partition) return invalid;
      const rule = `Region of a profile must be in the partition of the cluster, ${partition}`;
      return [fault(where, region, rule, 'remove it', { code: 'RegionInvalid' })];
    }),
    ...checkRepeats(path, regions, 'Region'),
  ];
}
