// What the standard's types of workers lack, for the checker alone.

type Corner = { x: number; y: number };

/** The browser's own reader of codes. */
declare class BarcodeDetector {
  constructor(wishes: { formats: string[] });
  static getSupportedFormats(): Promise<string[]>;
  detect(picture: ImageData): Promise<{ rawValue: string; format: string; cornerPoints: Corner[] }[]>;
}

/** What vendor/zxing_reader.js brings along. */
declare const ZXingWASM: {
  prepareZXingModule: typeof import("zxing-wasm/reader").prepareZXingModule;
  readBarcodes: typeof import("zxing-wasm/reader").readBarcodes;
};
